package io.gatun.control.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.fabric8.kubernetes.client.utils.Utils;
import io.gatun.control.document.Documents;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.document.Texts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathBuilderException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * An API server and who we are to it: address, certificates, tokens, all of which the client
 * library knows about. Thread safe.
 *
 * <p>HTTP/1.1 on purpose: each watch has a connection of its own, and giving one up closes it. By
 * HTTP/2 all would share one, and a dead one would be asked again for as long as TCP repeats itself
 * (kubernetes/client-go#374).
 */
public final class ApiServer implements AutoCloseable {
  private static final int CONNECT_MILLIS = 10_000;
  private static final long HEADERS_SECONDS = 30;
  private static final int LONGEST_COMPLAINT = 4096;

  private final HttpClient client;
  private final String url;
  private final ApiObserver observer;

  private ApiServer(Config config, ApiObserver observer) {
    config.setHttp2Disable(true);
    config.setConnectionTimeout(CONNECT_MILLIS);
    config.setRequestRetryBackoffLimit(0); // we know better than the library when to ask again
    config.setUserAgent("gatun");
    String master = config.getMasterUrl();
    this.url = master.endsWith("/") ? master.substring(0, master.length() - 1) : master;
    this.client = client(config);
    this.observer = observer;
  }

  private static HttpClient client(Config config) {
    try {
      return HttpClientUtils.getHttpClientFactory().newBuilder(config).build();
    } catch (KubernetesClientException e) {
      throw new FieldException(
          "the certificates for "
              + config.getMasterUrl()
              + " cannot be used: "
              + reason(e)
              + "; expected PEM files that are there");
    }
  }

  /**
   * The cluster of a kubeconfig's current context.
   *
   * @throws FieldException when the file cannot be used
   */
  public static ApiServer ofKubeconfig(Path file, ApiObserver observer) {
    Path tokenFile = tokenFile(file);
    Config config;
    try {
      config = Config.fromKubeconfig(file.toFile());
    } catch (KubernetesClientException e) {
      throw new FieldException(file + ": not a kubeconfig: " + e.getMessage());
    }
    if (tokenFile != null) {
      config.setOauthTokenProvider(() -> token(tokenFile));
    }
    return new ApiServer(config, observer);
  }

  /** The cluster that this process is a pod of. */
  public static ApiServer inCluster(ApiObserver observer) {
    Config config = Config.autoConfigure(null);
    Path token =
        Path.of(
            Utils.getSystemPropertyOrEnvVar(
                Config.KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN_FILE_SYSTEM_PROPERTY,
                Config.KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH));
    config.setOauthTokenProvider(() -> token(token));
    return new ApiServer(config, observer);
  }

  /** Whether this process is a pod with a service account. */
  public static boolean isInCluster() {
    return System.getenv("KUBERNETES_SERVICE_HOST") != null
        && Files.isReadable(Path.of(Config.KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH));
  }

  /** A server that asks nobody who they are. */
  public static ApiServer at(String url, ApiObserver observer) {
    Config config = Config.empty();
    config.setMasterUrl(url);
    return new ApiServer(config, observer);
  }

  /** The current user's {@code tokenFile}, as kubeadm's kube-proxy has one; null for none. */
  private static @Nullable Path tokenFile(Path file) {
    List<Field> documents = Documents.read(Texts.read(file));
    if (documents.size() != 1) {
      throw new FieldException(file + ": got " + documents.size() + " documents, expected one");
    }
    Field root = documents.getFirst();
    String context = root.at("current-context").text("");
    Field chosen = named(root.at("contexts"), context);
    if (chosen == null) {
      throw new FieldException(
          file + ": current-context: got \"" + context + "\", expected one of contexts");
    }
    Field user = named(root.at("users"), chosen.at("context").at("user").text(""));
    String token = user == null ? "" : user.at("user").at("tokenFile").text("");
    Path folder = file.toAbsolutePath().getParent();
    return token.isEmpty() || folder == null ? null : folder.resolve(token);
  }

  private static @Nullable Field named(Field list, String name) {
    for (Field item : list.items()) {
      if (item.at("name").says(name)) {
        return item;
      }
    }
    return null;
  }

  /** Read again for every request: kubelet replaces it long before it expires. */
  private static String token(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return ""; // the server will say that it does not know us
    }
  }

  /** Where it is, as the configuration says. */
  public String url() {
    return url;
  }

  /**
   * The body of what {@code path} names.
   *
   * @throws ApiException when the answer is not 200
   */
  InputStream get(String path) throws IOException, InterruptedException {
    return ask(
        client
            .newHttpRequestBuilder()
            .uri(url + path)
            .header("Accept", "application/json")
            .build());
  }

  /**
   * Merges {@code json} into what {@code path} names (strategic merge patch).
   *
   * @throws ApiException when the answer is not 200
   */
  void patch(String path, String json) throws IOException, InterruptedException {
    discard(
        ask(
            client
                .newHttpRequestBuilder()
                .patch("application/strategic-merge-patch+json", json)
                .uri(url + path)
                .header("Accept", "application/json")
                .build()));
  }

  private InputStream ask(HttpRequest request) throws IOException, InterruptedException {
    long asked = System.nanoTime();
    CompletableFuture<HttpResponse<InputStream>> answer;
    try {
      answer = client.sendAsync(request, InputStream.class);
    } catch (IllegalArgumentException e) { // a token, say, that cannot stand in a header
      throw new IOException(reason(e), e);
    }
    HttpResponse<InputStream> response;
    try {
      response = answer.get(HEADERS_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      var _ = answer.thenAccept(late -> discard(late.body()));
      throw new IOException("no answer within " + HEADERS_SECONDS + " s", e);
    } catch (ExecutionException e) {
      observer.request(0, Duration.ofNanos(System.nanoTime() - asked));
      throw new IOException(reason(e), e);
    } catch (InterruptedException e) {
      answer.cancel(true);
      var _ = answer.thenAccept(late -> discard(late.body()));
      throw e;
    }
    observer.request(response.code(), Duration.ofNanos(System.nanoTime() - asked));
    if (response.code() != 200) {
      throw refusal(response);
    }
    return response.body();
  }

  private static void discard(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // nobody waits for it
    }
  }

  private static ApiException refusal(HttpResponse<InputStream> response) {
    String message = "";
    try (InputStream body = response.body()) {
      message =
          new String(body.readNBytes(LONGEST_COMPLAINT), StandardCharsets.UTF_8)
              .replaceAll("\\s+", " ");
    } catch (IOException e) {
      // the code says enough
    }
    String after = response.header("Retry-After");
    long seconds = after != null && after.matches("[0-9]{1,6}") ? Long.parseLong(after) : 0;
    return new ApiException(response.code(), seconds, message(message));
  }

  /** A Status object's message; else what was said, shortened. */
  private static String message(String body) {
    try {
      List<Field> documents = body.startsWith("{") ? Documents.read(body) : List.of();
      if (!documents.isEmpty()) {
        return documents.getFirst().at("message").text("");
      }
    } catch (FieldException e) {
      // not a Status
    }
    return body.length() <= 120 ? body : body.substring(0, 117) + "...";
  }

  /** What went wrong at the bottom of it, in words. */
  private static String reason(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof CertPathBuilderException) {
      return "its certificate is not by the authority that we were given";
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  @Override
  public void close() {
    client.close();
  }
}
