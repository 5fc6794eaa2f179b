import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.RandomData;

/**
 * Asks Avro's Java library about pairs of schemas. Each line of input is a JSON object {"reader", "writer"}. Each line of
 * output is {"refused"} for a schema that does not parse, or else {"compatible", "incompatibility", "error"} and the
 * canonical forms and fingerprints of both schemas. With {"data": count, "seed", "behind"}, that many random data are
 * written with the writer's schema, each followed by "behind" zeros, and read with the reader's schema; the output then also
 * has {"decoded", "failed", "failure"}. There are no data if the writer's schema has no finite datum.
 */
public class Oracle {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
    }
  }

  private static ObjectNode answer(JsonNode asked) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    Schema reader;
    Schema writer;
    try {
      reader = new Schema.Parser().parse(asked.get("reader").toString());
      writer = new Schema.Parser().parse(asked.get("writer").toString());
    } catch (AvroRuntimeException refusal) {
      return answer.put("refused", String.valueOf(refusal.getMessage()));
    }
    compare(reader, writer, answer);
    answer.set("reader", identity(reader));
    answer.set("writer", identity(writer));
    if (asked.has("data")) {
      List<byte[]> data =
          random(writer, asked.get("data").asInt(), asked.get("seed").asLong(), asked.get("behind").asInt());
      answer.set("read", read(reader, writer, data));
    }
    return answer;
  }

  private static void compare(Schema reader, Schema writer, ObjectNode answer) {
    ArrayNode found = answer.putArray("incompatibility");
    try {
      SchemaCompatibility.SchemaCompatibilityResult result =
          SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult();
      for (SchemaCompatibility.Incompatibility one : result.getIncompatibilities()) {
        found.addObject()
            .put("type", one.getType().name())
            .put("location", one.getLocation())
            .put("message", one.getMessage());
      }
      answer.put("compatible",
          result.getCompatibility() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE);
    } catch (AvroRuntimeException error) {
      answer.put("compatible", false).put("error", String.valueOf(error.getMessage()));
    }
  }

  private static ObjectNode identity(Schema schema) throws Exception {
    HexFormat hex = HexFormat.of();
    return JSON.createObjectNode()
        .put("form", SchemaNormalization.toParsingForm(schema))
        .put("crc64", Long.toString(SchemaNormalization.parsingFingerprint64(schema)))
        .put("md5", hex.formatHex(SchemaNormalization.parsingFingerprint("MD5", schema)))
        .put("sha256", hex.formatHex(SchemaNormalization.parsingFingerprint("SHA-256", schema)));
  }

  private static ObjectNode read(Schema reader, Schema writer, List<byte[]> data) {
    int decoded = 0;
    int failed = 0;
    String failure = null;
    GenericDatumReader<Object> in = new GenericDatumReader<>(writer, reader);
    for (byte[] bytes : data) {
      try {
        in.read(null, DecoderFactory.get().binaryDecoder(bytes, null));
        decoded++;
      } catch (StackOverflowError endless) {
        // A default that contains itself, so that encoding it never ends.
        return JSON.createObjectNode().put("decoded", 0).put("failed", 0);
      } catch (RuntimeException | IOException thrown) {
        failed++;
        failure = String.valueOf(thrown.getMessage());
      }
    }
    return JSON.createObjectNode().put("decoded", decoded).put("failed", failed).put("failure", failure);
  }

  /** Empty if there is no datum: a record inside itself, an empty union. */
  private static List<byte[]> random(Schema schema, int count, long seed, int behind) throws IOException {
    List<byte[]> data = new ArrayList<>();
    Random random = new Random(seed);
    try {
      for (Object datum : new RandomData(schema, count, seed)) {
        thin(datum, random);
        data.add(write(schema, datum, behind));
      }
    } catch (StackOverflowError | IllegalArgumentException none) {
      return List.of();
    }
    return data;
  }

  private static byte[] write(Schema schema, Object datum, int behind) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<Object>(schema).write(datum, encoder);
    encoder.flush();
    bytes.write(new byte[behind]);
    return bytes.toByteArray();
  }

  /** RandomData makes arrays and maps empty only deep inside, so about half of them are emptied here. */
  private static void thin(Object datum, Random random) {
    if (datum instanceof IndexedRecord) {
      IndexedRecord record = (IndexedRecord) datum;
      for (Schema.Field field : record.getSchema().getFields()) {
        thin(record.get(field.pos()), random);
      }
    } else if (datum instanceof Collection) {
      Collection<?> items = (Collection<?>) datum;
      if (random.nextBoolean()) items.clear();
      for (Object item : items) thin(item, random);
    } else if (datum instanceof Map) {
      Map<?, ?> values = (Map<?, ?>) datum;
      if (random.nextBoolean()) values.clear();
      for (Object value : values.values()) thin(value, random);
    }
  }
}
