package io.gatun.agent.config;

import io.gatun.control.document.Documents;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.document.Texts;
import java.nio.file.Path;
import java.util.List;

/** Reads configuration files. */
public final class Configuration {
  private Configuration() {}

  /** What {@code file} says, with defaults for what it leaves out. */
  public static GatunConfiguration read(Path file) throws ConfigurationException {
    try {
      return parse(Texts.read(file));
    } catch (FieldException e) {
      throw new ConfigurationException(file + ": " + e.sentence());
    }
  }

  /** All defaults: as from a file that says nothing but its kind. */
  public static GatunConfiguration defaults() {
    return parse("{apiVersion: gatun.io/v1alpha1, kind: GatunConfiguration}");
  }

  static GatunConfiguration parse(String text) {
    List<Field> documents = Documents.read(text);
    if (documents.size() != 1) {
      throw new FieldException("", documents.size() + " documents", "one");
    }
    Field document = documents.getFirst();
    String kind = document.at("kind").oneOf("GatunConfiguration", "KubeProxyConfiguration");
    if (kind.equals("GatunConfiguration")) {
      document.at("apiVersion").oneOf("gatun.io/v1alpha1");
      return GatunConfigurationReader.read(document);
    }
    document.at("apiVersion").oneOf("kubeproxy.config.k8s.io/v1alpha1");
    return GatunConfigurationReader.around(KubeProxyConfigurationReader.read(document, true));
  }
}
