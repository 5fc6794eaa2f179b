import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.JsonByteArray;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Debezium's engine with JSON without schemas, which is about as fast as Avro by Confluent's converter, and Java's producer.
 * `java DebeziumDrain FILE`, where FILE has the connector's properties and `bench.brokers`. Prints `rows N`: how many rows
 * Kafka has acknowledged. Ends, with its offsets stored, when its input ends.
 */
class DebeziumDrain {
  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    try (Reader file = Files.newBufferedReader(Path.of(arguments[0]))) {
      properties.load(file);
    }
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", properties.getProperty("bench.brokers"));
    settings.put("acks", "all");
    settings.put("linger.ms", "5");
    settings.put("batch.size", "262144");
    settings.put("buffer.memory", "67108864");
    var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    AtomicLong acknowledged = new AtomicLong();
    DebeziumEngine<ChangeEvent<byte[], byte[]>> engine = DebeziumEngine.create(JsonByteArray.class)
        .using(properties)
        .using((success, message, error) -> {
          if (success) return;
          System.err.println("the engine ended: " + message);
          if (error != null) error.printStackTrace();
          Runtime.getRuntime().halt(1);
        })
        .notifying((events, committer) -> {
          for (var event : events) {
            boolean isRow = event.value() != null;
            producer.send(new ProducerRecord<>(event.destination(), 0, event.key(), event.value()), (done, error) -> {
              if (error != null) Runtime.getRuntime().halt(2);
              if (isRow) acknowledged.incrementAndGet();
            });
          }
          producer.flush();
          for (var event : events) committer.markProcessed(event);
          committer.markBatchFinished();
        })
        .build();
    Thread run = new Thread(engine, "engine");
    run.start();
    Thread report = new Thread(() -> {
      try {
        while (true) {
          System.out.println("rows " + acknowledged.get());
          Thread.sleep(20);
        }
      } catch (InterruptedException ended) {
        return;
      }
    });
    report.setDaemon(true);
    report.start();
    while (System.in.read() >= 0) {}
    engine.close();
    run.join(20_000);
    Runtime.getRuntime().halt(0);
  }
}
