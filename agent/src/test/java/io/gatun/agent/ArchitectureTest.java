package io.gatun.agent;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the arrows between the modules, as docs/architecture.md draws them. */
@AnalyzeClasses(packages = "io.gatun", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule modulesDependOnlyAlongTheSpine =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("ffm-bindings")
          .definedBy("io.gatun.ffm..")
          .layer("ring-buffers")
          .definedBy("io.gatun.ring..")
          .layer("lpm-trie")
          .definedBy("io.gatun.fib.lpm..")
          .layer("packet-pipeline")
          .definedBy(
              "io.gatun.bridge..",
              "io.gatun.packet..",
              "io.gatun.pipeline..",
              "io.gatun.port..",
              "io.gatun.segment..",
              "io.gatun.worker..",
              "io.gatun.fib")
          .layer("vxlan-codec")
          .definedBy("io.gatun.tunnel..")
          .layer("conntrack")
          .definedBy("io.gatun.flow..")
          .layer("nat-lb")
          .definedBy("io.gatun.service..")
          .layer("control-plane")
          .definedBy("io.gatun.control..")
          .layer("lab")
          .definedBy("io.gatun.lab..")
          .layer("perf")
          .definedBy("io.gatun.perf..")
          .layer("agent")
          .definedBy("io.gatun.agent..")
          .whereLayer("agent")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("perf")
          .mayOnlyBeAccessedByLayers("agent")
          .whereLayer("lab")
          .mayOnlyBeAccessedByLayers("perf", "agent")
          .whereLayer("control-plane")
          .mayOnlyBeAccessedByLayers("perf", "agent")
          .whereLayer("nat-lb")
          .mayOnlyBeAccessedByLayers("control-plane", "perf", "agent")
          .whereLayer("conntrack")
          .mayOnlyBeAccessedByLayers("nat-lb", "control-plane", "perf", "agent")
          .whereLayer("vxlan-codec")
          .mayOnlyBeAccessedByLayers("control-plane", "perf", "agent")
          .whereLayer("packet-pipeline")
          .mayOnlyBeAccessedByLayers(
              "vxlan-codec", "conntrack", "nat-lb", "control-plane", "perf", "agent")
          .whereLayer("lpm-trie")
          .mayOnlyBeAccessedByLayers(
              "packet-pipeline", "vxlan-codec", "control-plane", "perf", "agent")
          .whereLayer("ring-buffers")
          .mayOnlyBeAccessedByLayers(
              "packet-pipeline",
              "vxlan-codec",
              "conntrack",
              "nat-lb",
              "control-plane",
              "perf",
              "agent");

  @ArchTest
  static final ArchRule nativeCallsAreMadeInOnePlace =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.gatun.ffm..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.Linker");

  @ArchTest
  static final ArchRule kubernetesStaysInTheControlPlane =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.gatun.control..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.fabric8..");

  @ArchTest
  static final ArchRule noFoldersOfLeftovers =
      noClasses()
          .should()
          .resideInAnyPackage("..util..", "..common..", "..core..", "..helper..", "..impl..");

  @ArchTest
  static final ArchRule namesAreTheFieldsOwn =
      classes().should().haveNameNotMatching(".*(Manager|Helper|Util|Utils|Impl)");
}
