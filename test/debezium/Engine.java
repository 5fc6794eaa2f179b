import io.apicurio.registry.utils.converter.avro.AvroData;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;

/**
 * A minimal Kafka Connect worker with one Debezium: `java Engine FILE`, where FILE has the connector's properties and
 * `beside.brokers` and `beside.registry`. Events are written to Kafka in Confluent's wire format, schemas to the subjects
 * `<topic>-key` and `<topic>-value`, and headers as Connect writes them. A topic is created at its first event. An error
 * that would stop a Connect task, such as a schema that the registry refuses, ends this process with code 1.
 */
public class Engine {
  private final AvroData avro = new AvroData(1000);
  private final SimpleHeaderConverter headers = new SimpleHeaderConverter();
  private final HttpClient http = HttpClient.newHttpClient();
  private final Map<String, Integer> ids = new HashMap<>();
  private final Set<String> topics = new HashSet<>();
  private final String registry;
  private final Optional<Integer> partitions;
  private final Admin admin;
  private final Producer<byte[], byte[]> producer;

  private Engine(Properties properties) {
    registry = properties.getProperty("beside.registry");
    partitions = Optional.ofNullable(properties.getProperty("topic.creation.default.partitions")).map(Integer::valueOf);
    Map<String, Object> brokers = Map.of("bootstrap.servers", properties.getProperty("beside.brokers"));
    admin = Admin.create(brokers);
    // The producer settings of a Connect worker.
    Map<String, Object> sure = new HashMap<>(brokers);
    sure.put("acks", "all");
    sure.put("max.in.flight.requests.per.connection", 1);
    sure.put("delivery.timeout.ms", Integer.MAX_VALUE);
    producer = new KafkaProducer<>(sure, new ByteArraySerializer(), new ByteArraySerializer());
  }

  public static void main(String[] arguments) throws IOException {
    Properties properties = new Properties();
    try (Reader file = Files.newBufferedReader(Path.of(arguments[0]))) {
      properties.load(file);
    }
    Engine engine = new Engine(properties);
    DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
        .using(properties)
        .using((success, message, error) -> {
          System.err.println("the engine ended: " + message);
          if (error != null) error.printStackTrace();
          Runtime.getRuntime().halt(success ? 0 : 1);
        })
        .notifying(engine::publish)
        .build()
        .run();
  }

  private void publish(
      List<RecordChangeEvent<SourceRecord>> events,
      DebeziumEngine.RecordCommitter<RecordChangeEvent<SourceRecord>> committer)
      throws InterruptedException {
    try {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (RecordChangeEvent<SourceRecord> event : events) sent.add(producer.send(converted(event.record())));
      for (Future<RecordMetadata> one : sent) one.get();
      for (RecordChangeEvent<SourceRecord> event : events) committer.markProcessed(event);
      committer.markBatchFinished();
    } catch (IOException | ExecutionException error) {
      throw new RuntimeException(error);
    }
  }

  private ProducerRecord<byte[], byte[]> converted(SourceRecord record)
      throws IOException, InterruptedException, ExecutionException {
    String topic = record.topic();
    if (topics.add(topic)) createTopic(topic);
    byte[] key = framed(topic + "-key", record.keySchema(), record.key());
    byte[] value = framed(topic + "-value", record.valueSchema(), record.value());
    var converted = new ProducerRecord<>(topic, record.kafkaPartition(), record.timestamp(), key, value);
    record.headers().forEach(header -> {
      byte[] bytes = headers.fromConnectHeader(topic, header.key(), header.schema(), header.value());
      converted.headers().add(header.key(), bytes);
    });
    return converted;
  }

  private void createTopic(String topic) throws InterruptedException, ExecutionException {
    try {
      admin.createTopics(List.of(new NewTopic(topic, partitions, Optional.empty()))).all().get();
    } catch (ExecutionException error) {
      if (!(error.getCause() instanceof TopicExistsException)) throw error;
    }
  }

  /** A zero byte, the schema's id and Avro data; null for null, like AvroConverter. */
  private byte[] framed(String subject, Schema schema, Object value) throws IOException, InterruptedException {
    if (value == null) return null;
    org.apache.avro.Schema type = avro.fromConnectSchema(schema);
    var out = new ByteArrayOutputStream();
    out.write(0);
    out.write(ByteBuffer.allocate(4).putInt(idOf(subject, type)).array());
    var encoder = EncoderFactory.get().directBinaryEncoder(out, null);
    new GenericDatumWriter<>(type).write(avro.fromConnectData(schema, value), encoder);
    return out.toByteArray();
  }

  private int idOf(String subject, org.apache.avro.Schema type) throws IOException, InterruptedException {
    String known = subject + " " + type;
    Integer id = ids.get(known);
    if (id == null) ids.put(known, id = register(subject, type.toString()));
    return id;
  }

  /** Confluent's "POST /subjects/(subject)/versions": `{"id": 7}`. */
  private int register(String subject, String schema) throws IOException, InterruptedException {
    String path = "/subjects/" + URLEncoder.encode(subject, StandardCharsets.UTF_8) + "/versions";
    String body = "{\"schema\":\"" + schema.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}";
    HttpRequest request = HttpRequest.newBuilder(URI.create(registry + path))
        .header("content-type", "application/vnd.schemaregistry.v1+json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
    HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException("registering " + subject + ": " + answer.statusCode() + " " + answer.body());
    }
    return Integer.parseInt(answer.body().replaceAll(".*\"id\":(\\d+).*", "$1"));
  }
}
