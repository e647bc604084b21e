import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { type Contract, problem, systemClock } from "#kernel";
import { openAuditLog } from "#kernel/audit";
import type { Backbone } from "#kernel/backbone";
import type { Handlers } from "#kernel/contract";
import type { FlagRule, Flags } from "#kernel/ports/flags";
import { localTransport } from "#kernel/rpc";
import { openPseudonyms } from "#kernel/pseudonyms";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import type { Traces } from "#kernel/tracing";
import type { States } from "./health.ts";
import { type Admin, type AdminOptions, startAdmin } from "./server.ts";
import { adminSocketPath } from "./socket.ts";

/** A service that does what a test says; every other call of its contract is refused as `unimplemented` would be. */
export interface FakeService {
  readonly contract: Contract;
  readonly handlers: Handlers<DescService>;
}

export function fakeService<S extends DescService>(contract: Contract<S>, handlers: Partial<Handlers<S>>): FakeService {
  const refuse = (name: string) => async (): Promise<never> => {
    throw problem.internal(`this test does not answer ${contract.name}.${name}`);
  };
  const all = Object.fromEntries(contract.rpc.methods.map(({ localName }) => [localName, refuse(localName)]));
  return { contract, handlers: { ...all, ...handlers } };
}

const none = async (): Promise<never> => {
  throw problem.internal("this test has neither event log nor console");
};
const noBackbone: Backbone = {
  ...{ topics: none, topicsOf: () => [], begin: none, read: none, describe: none, letters: none, settle: none },
  ...{ replay: none, models: none, rebuild: none },
};

export interface TestAdmin {
  readonly dataFolder: string;
  readonly socketPath: string;
  readonly admin: Admin;
  readonly metrics: ReturnType<typeof openMetrics>;
  /** The lines of the audit log. */
  audited(): Promise<readonly Readonly<Record<string, string>>[]>;
  stop(): Promise<void>;
}

export interface TestAdminOptions {
  readonly services?: readonly FakeService[];
  readonly states?: States;
  /** Of a real host; without it calls about the event log are refused. */
  readonly backbone?: Backbone;
  /** Without them there are no pages of traces. */
  readonly traces?: Traces;
  readonly port?: number;
  readonly backup?: AdminOptions["backup"];
  readonly consoleLink?: AdminOptions["consoleLink"];
}

/** Flags that are remembered and nothing more: what they do is tested where they are evaluated. */
function rememberedFlags(): Flags {
  const rules = new Map<string, FlagRule>();
  return {
    evaluate: ({ fallback }) => ({ value: fallback, reason: "DEFAULT" }),
    rules: () => [...rules.values()],
    put: async (rule) => void rules.set(rule.name, rule),
    remove: async (name) => void rules.delete(name),
    state: async () => ({ ok: true, detail: "flags of a test" }),
    close: async () => {},
  };
}

/** The admin server of a product whose services are fakes, in a data folder of its own. */
export async function startTestAdmin({
  services = [],
  states = async () => ({}),
  backbone = noBackbone,
  traces,
  port = 0,
  backup = async function* () {},
  consoleLink = none,
}: TestAdminOptions): Promise<TestAdmin> {
  const dataFolder = await mkdtemp(join(tmpdir(), "marquee-admin-"));
  const metrics = openMetrics();
  const audit = await openAuditLog({ file: join(dataFolder, "audit.log") });
  const transport = localTransport({ clock: systemClock, metrics });
  for (const { contract, handlers } of services) transport.mount(contract, handlers);
  const socketPath = adminSocketPath(dataFolder);
  const contracts = services.map(({ contract }) => contract);
  const admin = await startAdmin({
    host: { ...transport, backbone },
    contracts,
    socketPath,
    port,
    bind: "127.0.0.1",
    flags: rememberedFlags(),
    metrics,
    traces: traces ?? { latest: () => [], find: () => undefined },
    hasTracePages: traces !== undefined,
    audit,
    logger: silentLogger,
    pseudonyms: openPseudonyms(),
    states,
    ...{ backup, consoleLink },
    about: { url: "http://localhost:8080" },
  });
  return {
    dataFolder,
    socketPath,
    admin,
    metrics,
    async audited() {
      const text = await readFile(join(dataFolder, "audit.log"), "utf8");
      return text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, string>);
    },
    async stop() {
      await admin.stop();
      await audit.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
