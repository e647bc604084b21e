import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { ensureProgram, runProgram } from "./programs.ts";

const VERSION = "0.161.0";
/** Its stable modules count on their own. */
const STABLE_VERSION = "1.67.0";
const BUILD_TIMEOUT_MS = 30 * 60_000;

/** What the collector is put together from: it takes OTLP, and writes what it took as lines of OTLP's JSON. */
const BUILD = `dist:
  name: otelcol
  output_path: .
  version: ${VERSION}
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v${VERSION}
exporters:
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter v${VERSION}
providers:
  - gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider v${STABLE_VERSION}
conf_resolver:
  default_uri_scheme: file
`;

const folderOf = ({ programs }: EnginePlace): string => join(programs, `otelcol-${VERSION}`);
const programOf = (at: EnginePlace): string => join(folderOf(at), "otelcol");
const urlOf = ({ port }: EnginePlace): string => `http://127.0.0.1:${port}`;
/** Where it writes what it took, a request a line. */
const tracesOf = ({ data }: EnginePlace): string => join(data, "traces.jsonl");

const settings = (at: EnginePlace): string => `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${at.port}
exporters:
  file:
    path: ${tracesOf(at)}
    flush_interval: 200ms
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [file]
`;

/** The OpenTelemetry Collector, put together by its own builder from modules that the Go module proxy has. */
export const otelcol: Engine = {
  name: "otelcol",
  what: `traces: OpenTelemetry Collector ${VERSION}, which takes OTLP and writes it to a file`,
  licence: "Apache-2.0",
  async install(at) {
    const isThere = await access(programOf(at)).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    const go = await ensureProgram("go", "golang-go", at.say);
    const draft = `${folderOf(at)}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await writeFile(join(draft, "build.yaml"), BUILD);
    at.say(`building the OpenTelemetry Collector ${VERSION} by Go: this takes some minutes, once`);
    const options = {
      cwd: draft,
      env: { GOBIN: draft, GOFLAGS: "-mod=mod", GOMAXPROCS: "2" },
      timeoutMs: BUILD_TIMEOUT_MS,
    };
    await runProgram(go, ["install", `go.opentelemetry.io/collector/cmd/builder@v${VERSION}`], options);
    await runProgram(join(draft, "builder"), ["--config", "build.yaml"], options);
    await rename(draft, folderOf(at));
  },
  async command(at) {
    const config = join(at.data, "otelcol.yaml");
    await mkdir(at.data, { recursive: true });
    await writeFile(config, settings(at));
    return { program: programOf(at), args: ["--config", `file:${config}`] };
  },
  async health(at) {
    // A request without spans is a whole request.
    const answer = await fetch(`${urlOf(at)}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans: [] }),
    });
    if (!answer.ok) throw problem.unavailable(`the collector answered ${answer.status}`);
    return `OpenTelemetry Collector ${(await runProgram(programOf(at), ["--version"])).trim().split(" ").at(-1) ?? ""}`;
  },
  environment: (at) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: urlOf(at) }),
};
