import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.iceberg.BaseTable;
import org.apache.iceberg.FileScanTask;
import org.apache.iceberg.Files;
import org.apache.iceberg.Snapshot;
import org.apache.iceberg.StaticTableOperations;
import org.apache.iceberg.TableScan;
import org.apache.iceberg.data.IcebergGenerics;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.expressions.Expressions;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.io.FileIO;
import org.apache.iceberg.io.InputFile;
import org.apache.iceberg.io.OutputFile;
import org.apache.iceberg.types.Types;

/**
 * Reads an Iceberg table by its metadata file, with Iceberg's own library and nothing of ours, and prints JSON lines: first what the
 * table says of itself, then every row of the current snapshot, or of the one that the second argument names. A third argument
 * reads only rows of that event type, whose files the library chooses by partition.
 */
public final class ReadTable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Local files by their addresses, taken literally as Hadoop takes them; nothing here may write. */
  private static final class LocalFiles implements FileIO {
    @Override
    public InputFile newInputFile(String path) {
      return Files.localInput(path.substring("file://".length()));
    }

    @Override
    public OutputFile newOutputFile(String path) {
      throw new UnsupportedOperationException("this reader writes nothing: " + path);
    }

    @Override
    public void deleteFile(String path) {
      throw new UnsupportedOperationException("this reader deletes nothing: " + path);
    }
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BaseTable table = new BaseTable(new StaticTableOperations(args[0], new LocalFiles()), "events");
    Snapshot current = table.currentSnapshot();
    IcebergGenerics.ScanBuilder scan = IcebergGenerics.read(table);
    TableScan plan = table.newScan();
    // A snapshot that is named is read by the schema of its day, and without one the table's own holds, with the columns that came since.
    if (args.length > 1 && !args[1].isEmpty()) {
      scan = scan.useSnapshot(Long.parseLong(args[1]));
      plan = plan.useSnapshot(Long.parseLong(args[1]));
    }
    if (args.length > 2) {
      scan = scan.where(Expressions.equal("event_type", args[2]));
      plan = plan.filter(Expressions.equal("event_type", args[2]));
    }

    Map<String, Object> about = new LinkedHashMap<>();
    about.put("uuid", table.uuid().toString());
    about.put("spec", table.spec().toString());
    about.put("schema", table.schema().toString());
    about.put("snapshotId", current.snapshotId());
    about.put("operation", current.operation());
    about.put("summary", current.summary());
    int files = 0;
    try (CloseableIterable<FileScanTask> tasks = plan.planFiles()) {
      for (FileScanTask task : tasks) files += 1;
    }
    about.put("files", files);
    out.println(JSON.writeValueAsString(about));

    try (CloseableIterable<Record> rows = scan.build()) {
      for (Record row : rows) {
        Map<String, Object> line = new LinkedHashMap<>();
        for (Types.NestedField field : row.struct().fields()) line.put(field.name(), plain(row.getField(field.name())));
        out.println(JSON.writeValueAsString(line));
      }
    }
    out.flush();
  }

  /** Times as microseconds and bytes as base64, so that JSON has them exactly. */
  private static Object plain(Object value) {
    if (value instanceof OffsetDateTime time) return ChronoUnit.MICROS.between(Instant.EPOCH, time.toInstant());
    if (value instanceof ByteBuffer bytes) {
      byte[] copy = new byte[bytes.remaining()];
      bytes.duplicate().get(copy);
      return Base64.getEncoder().encodeToString(copy);
    }
    return value;
  }
}
