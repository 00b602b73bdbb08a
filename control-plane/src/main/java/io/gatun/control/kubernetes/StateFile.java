package io.gatun.control.kubernetes;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamWriteFeature;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.document.JsonFields;
import io.gatun.control.document.Texts;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.KubernetesObject;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a cluster was last known to have, on disk: JSON, an object a line. One thread at a time.
 *
 * <pre>
 *   {"gatun":"objects","layout":1,"cluster":"https://10.0.0.1:6443 node-1"}
 *   {"apiVersion":"v1","kind":"Service",…}          as the API would say it, as much as is read
 *   …
 *   {"objects":1234,"crc32c":305419896}             of every byte before this line
 * </pre>
 *
 * Written beside the old one and renamed over it; one that is cut, altered or of another cluster is
 * not used, but set aside.
 */
public final class StateFile {
  private static final Logger LOG = LoggerFactory.getLogger(StateFile.class);
  private static final JsonFactory JSON =
      JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();
  private static final int BUFFER = 1 << 16;
  private static final int LAYOUT = 1;
  private static final int LONGEST_TRAILER = 200;

  private final Path path;
  private final String cluster;

  /** {@code cluster}: what tells this one from others, so that nobody is served another's. */
  public StateFile(Path path, String cluster) {
    this.path = path;
    this.cluster = cluster;
  }

  /** What was written last; nothing when there is nothing that can be used. */
  public List<KubernetesObject> read() {
    if (!Files.exists(path)) {
      return List.of();
    }
    try {
      return readWhole();
    } catch (IOException | FieldException | ManifestException e) {
      String why = e instanceof IOException io ? Texts.reason(io) : String.valueOf(e.getMessage());
      Path aside = path.resolveSibling(path.getFileName() + ".set-aside");
      try {
        Files.move(path, aside, StandardCopyOption.REPLACE_EXISTING);
        LOG.warn("{}: {}; set aside as {}", path, why, aside.getFileName());
      } catch (IOException cannot) {
        LOG.warn("{}: {}; not used", path, why);
      }
      return List.of();
    }
  }

  private List<KubernetesObject> readWhole() throws IOException, ManifestException {
    int objects = checked();
    List<KubernetesObject> read = new ArrayList<>();
    try (InputStream file = Files.newInputStream(path);
        JsonParser parser = JSON.createParser(file)) {
      parser.nextToken();
      Field header = JsonFields.read(parser);
      if (!header.at("gatun").says("objects")
          || header.at("layout").integer(0, Integer.MAX_VALUE, 0) != LAYOUT) {
        throw new FieldException("got another file, expected objects of layout " + LAYOUT);
      }
      if (!header.at("cluster").says(cluster)) {
        throw new FieldException(
            "got objects of %s, expected those of %s"
                .formatted(header.at("cluster").text(""), cluster));
      }
      while (read.size() < objects) {
        parser.nextToken();
        read.add(ManifestReader.readObject(path.toString(), JsonFields.read(parser), "", ""));
      }
    }
    return read;
  }

  /** Holds the last line against all before it; returns how many objects there are. */
  private int checked() throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      int size = Math.toIntExact(Math.min(channel.size(), Integer.MAX_VALUE));
      ByteBuffer all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size);
      int end = size - 1; // of the last line, which ends in a line feed too
      int start = end;
      while (start > 0 && end - start < LONGEST_TRAILER && all.get(start - 1) != '\n') {
        start--;
      }
      if (end < 1 || all.get(end) != '\n' || start == 0 || all.get(start - 1) != '\n') {
        throw new IOException("ends in the middle");
      }
      byte[] trailer = new byte[end - start];
      all.get(start, trailer);
      Field last = parse(trailer);
      CRC32C sum = new CRC32C();
      sum.update(all.slice(0, start));
      if (last.at("crc32c").integer(0, 0xFFFF_FFFFL, -1) != sum.getValue()) {
        throw new IOException("the checksum is wrong");
      }
      return (int) last.at("objects").integer(0, Integer.MAX_VALUE);
    }
  }

  private static Field parse(byte[] line) throws IOException {
    try (JsonParser parser = JSON.createParser(line)) {
      parser.nextToken();
      return JsonFields.read(parser);
    }
  }

  /** Replaces the file, whole or not at all. */
  public void write(Collection<KubernetesObject> objects) throws IOException {
    Path folder = path.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Path next = path.resolveSibling(path.getFileName() + ".next");
    Files.deleteIfExists(next);
    Files.createFile(
        next, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    CRC32C sum = new CRC32C();
    try (FileChannel channel = FileChannel.open(next, StandardOpenOption.WRITE)) {
      OutputStream out =
          new CheckedOutputStream(
              new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER), sum);
      line(
          out,
          json -> {
            json.writeStringField("gatun", "objects");
            json.writeNumberField("layout", LAYOUT);
            json.writeStringField("cluster", cluster);
          });
      for (KubernetesObject object : objects) {
        line(out, json -> ObjectWriter.write(object, json));
      }
      long value = sum.getValue();
      line(
          out,
          json -> {
            json.writeNumberField("objects", objects.size());
            json.writeNumberField("crc32c", value);
          });
      out.flush();
      channel.force(true);
    }
    Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Removes what is there. */
  public static void remove(Path path) throws IOException {
    for (String end : List.of("", ".next", ".set-aside")) {
      try {
        Files.delete(path.resolveSibling(path.getFileName() + end));
      } catch (NoSuchFileException e) {
        // there was none
      }
    }
  }

  private interface Content {
    void write(JsonGenerator json) throws IOException;
  }

  private static void line(OutputStream out, Content content) throws IOException {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      content.write(json);
      json.writeEndObject();
    }
    out.write('\n');
  }
}
