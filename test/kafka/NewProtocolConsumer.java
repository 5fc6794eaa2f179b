import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;

/**
 * Members of two groups that kafkajs cannot join, until the process is killed. Arguments: broker, topic, group. The group
 * has the new protocol (KIP-848), and a share group (KIP-932) has its name and ".share".
 */
class NewProtocolConsumer {
    public static void main(String[] args) {
        Thread share = new Thread(() -> share(args[0], args[1], args[2] + ".share"));
        share.setDaemon(true);
        share.start();
        Properties properties = properties(args[0], args[2]);
        properties.put("group.protocol", "consumer");
        properties.put("auto.offset.reset", "earliest");
        properties.put("auto.commit.interval.ms", "200");
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            consumer.subscribe(List.of(args[1]));
            while (true) consumer.poll(Duration.ofMillis(100));
        }
    }

    private static void share(String broker, String topic, String group) {
        try (KafkaShareConsumer<byte[], byte[]> consumer = new KafkaShareConsumer<>(properties(broker, group))) {
            consumer.subscribe(List.of(topic));
            while (true) consumer.poll(Duration.ofMillis(100));
        }
    }

    private static Properties properties(String broker, String group) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", broker);
        properties.put("group.id", group);
        String bytes = "org.apache.kafka.common.serialization.ByteArrayDeserializer";
        properties.put("key.deserializer", bytes);
        properties.put("value.deserializer", bytes);
        return properties;
    }
}
