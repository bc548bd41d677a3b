/* Parallel.java - Confluent's Parallel Consumer brings records to calendars, one PATCH for each.
 *
 * usage: java Parallel BOOTSTRAP TOPIC GROUP GRAPH_URL CALLS.tsv CONCURRENCY
 * CALLS.tsv: assignment, token, event per line.  The records of one user keep their order. */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;

public final class Parallel {
	private record Call(String token, String event) {}

	private static final int BUFFERED = 20_000;
	private static final ObjectMapper JSON = new ObjectMapper();
	private static final Map<String, Call> CALLS = new HashMap<>();
	private static final HttpClient HTTP =
	    HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
	private static String graphUrl;

	/* The topic's key names user and assignment; the order that counts is the user's. */
	public static final class UserDeserializer implements Deserializer<String> {
		@Override
		public String deserialize(String topic, byte[] key) {
			try {
				return JSON.readTree(key).get("user_id").textValue();
			} catch (IOException problem) {
				throw new UncheckedIOException(problem);
			}
		}
	}

	private static ObjectNode midnight(LocalDate day) {
		return JSON.createObjectNode().put("dateTime", day + "T00:00:00")
		    .put("timeZone", "Europe/Berlin");
	}

	private static String event(JsonNode assignment, JsonNode project) {
		String status = assignment.get("booking_status").textValue();
		boolean isConfirmed = status.equals("confirmed");
		ObjectNode event = JSON.createObjectNode();

		event.put("subject", project.get("client_name").textValue());
		event.putObject("body").put("contentType", "text").put("content", status + "\n\n"
		    + assignment.get("notes").textValue() + "\n\n" + project.get("notes").textValue());
		event.put("isAllDay", true);
		event.set("start", midnight(LocalDate.ofEpochDay(project.get("start_date").asLong())));
		event.set("end", midnight(LocalDate.ofEpochDay(project.get("end_date").asLong() + 1)));
		event.put("showAs", isConfirmed ? "busy" : "tentative");
		event.putArray("categories").add(isConfirmed ? "Green category" : "Yellow category");
		event.put("isReminderOn", false);
		return event.toString();
	}

	private static void patch(ConsumerRecord<String, byte[]> message) throws Exception {
		JsonNode value = JSON.readTree(message.value());
		JsonNode assignment = value.get("after");
		Call call = CALLS.get(assignment.get("id").textValue());
		HttpRequest request = HttpRequest.newBuilder()
		    .uri(URI.create(graphUrl + "/v1.0/me/events/"
			+ URLEncoder.encode(call.event(), StandardCharsets.UTF_8)))
		    .header("Authorization", "Bearer " + call.token())
		    .header("Content-Type", "application/json")
		    .header("Prefer", "IdType=\"ImmutableId\"")
		    .method("PATCH", HttpRequest.BodyPublishers.ofString(
			event(assignment, value.get("project"))))
		    .build();
		HttpResponse<String> answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());

		if (answer.statusCode() != 200) {
			throw new IOException(answer.statusCode() + " " + answer.body());
		}
	}

	public static void main(String[] args) throws Exception {
		Properties properties = new Properties();

		graphUrl = args[3];
		for (String line : Files.readAllLines(Path.of(args[4]))) {
			String[] words = line.split("\t");

			CALLS.put(words[0], new Call(words[1], words[2]));
		}
		properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
		properties.put(ConsumerConfig.GROUP_ID_CONFIG, args[2]);
		properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
		properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
		properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5000);
		ParallelStreamProcessor<String, byte[]> processor =
		    ParallelStreamProcessor.createEosStreamProcessor(
			ParallelConsumerOptions.<String, byte[]>builder()
			    .consumer(new KafkaConsumer<>(properties, new UserDeserializer(),
				new ByteArrayDeserializer()))
			    .ordering(ParallelConsumerOptions.ProcessingOrder.KEY)
			    .commitMode(ParallelConsumerOptions.CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
			    .maxConcurrency(Integer.parseInt(args[5]))
			    .messageBufferSize(BUFFERED) // its own would see too few users at once
			    .build());
		processor.subscribe(List.of(args[1]));
		processor.poll(context -> {
			try {
				patch(context.getSingleConsumerRecord());
			} catch (Exception problem) {
				problem.printStackTrace();
				throw new IllegalStateException(problem);
			}
		});
		new CountDownLatch(1).await();
	}
}
