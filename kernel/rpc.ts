import { SpanKind } from "@opentelemetry/api";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Clock } from "./clock.ts";
import type { Context } from "./context.ts";
import { copyMessage } from "./copy.ts";
import type { Client, Contract, Handlers } from "./contract.ts";
import { problem, toProblem } from "./errors.ts";
import { shutFault } from "./flags.ts";
import type { Metrics } from "./metrics.ts";
import { type Pseudonyms, VIEWER } from "./pseudonyms.ts";
import { inSpan } from "./telemetry.ts";
import { gaveUp, within } from "./within.ts";

/** What a method does with a request, whatever carries it. */
type Invoke = (request: Message, context: Context) => Promise<MessageInitShape<DescMessage>>;

/**
 * Calls between services. In one process a call is a function call that still behaves like a wire: request and response are copied through their
 * schemas (unknown members dropped, defaults filled, nothing shared), the deadline holds, faults arrive as Problems.
 */
export interface Transport {
  /** Offers a service's methods to callers. */
  mount<S extends DescService>(contract: Contract<S>, handlers: Handlers<S>): void;
  /** A client of a service; it may be mounted later. */
  client<S extends DescService>(contract: Contract<S>, caller: string): Client<S>;
}

/** How calls leave the process. The request is a message of its own that nobody else holds. */
export interface Remote {
  call(contract: Contract, method: DescMethod, request: Message, context: Context): Promise<Message>;
}

/** How calls come in from other processes: as if a caller here had made them. */
export interface Offered {
  readonly contracts: readonly Contract[];
  answer(
    contract: Contract,
    method: DescMethod,
    request: Message,
    context: Context,
  ): Promise<MessageInitShape<DescMessage>>;
}

export interface TransportOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Carries calls of services that are not mounted here; without it they are unavailable. */
  readonly remote?: Remote | undefined;
  /** Whether somebody shut a service for a call; such calls are refused. */
  readonly isShut?: (service: string, context: Context) => boolean;
  /** What viewers are called in traces. */
  readonly pseudonyms?: Pseudonyms | undefined;
  /** Tests pay for the whole wire: bytes there and back, and frozen requests. */
  readonly roundTrip?: boolean;
}

interface Mounted {
  readonly contract: Contract;
  readonly methods: ReadonlyMap<string, Invoke>;
}

/** Calls stay in the process where the service is mounted in it, and leave by `remote` where it is not. The caller cannot tell which. */
export function localTransport(options: TransportOptions): Transport & Offered {
  const { clock, metrics, remote, pseudonyms, isShut, roundTrip = false } = options;
  const mounted = new Map<string, Mounted>();

  const copy = <D extends DescMessage>(schema: D, value: unknown): Message => {
    const init = value as MessageInitShape<D>;
    return roundTrip
      ? Object.freeze(fromBinary(schema, toBinary(schema, create(schema, init))))
      : copyMessage(schema, init);
  };

  const find = (contract: Contract, method: DescMethod): Invoke | undefined =>
    mounted.get(contract.name)?.methods.get(method.localName);

  /** Runs a handler within its deadline and its caller's patience, traced and measured. */
  async function run<T>(
    contract: Contract,
    method: DescMethod,
    from: Context,
    kind: SpanKind,
    handle: (context: Context) => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    let code = "ok";
    try {
      return await inSpan(
        `${contract.name}/${method.name}`,
        {
          ...{ "rpc.system": "marquee", "rpc.service": contract.name, "rpc.method": method.name },
          ...(pseudonyms && from.viewer ? { [VIEWER]: pseudonyms.of(from.viewer.userId) } : {}),
        },
        from.span,
        async (span) => {
          const leftMs = from.deadlineMs - clock.nowMs();
          const what = `${contract.name}.${method.name}`;
          if (from.signal.aborted) throw gaveUp(what);
          if (leftMs <= 0) throw problem.deadline(`${what} was called after its deadline`);
          if (isShut?.(contract.name, from)) throw shutFault(contract.name);
          return await within(leftMs, what, from.signal, handle({ ...from, span }));
        },
        kind,
      );
    } catch (error) {
      const fault = toProblem(error);
      code = fault.code;
      throw fault;
    } finally {
      metrics.calls.observe(
        { service: contract.name, method: method.name, code },
        (performance.now() - started) / 1_000,
      );
    }
  }

  async function call(contract: Contract, method: DescMethod, request: unknown, from: Context): Promise<Message> {
    const invoke = find(contract, method);
    if (invoke) {
      return run(contract, method, from, SpanKind.INTERNAL, async (context) =>
        copy(method.output, await invoke(copy(method.input, request), context)),
      );
    }
    if (remote) return remote.call(contract, method, copy(method.input, request), from);
    throw problem.unavailable(`service '${contract.name}' does not run in this process`);
  }

  return {
    get contracts() {
      return [...mounted.values()].map(({ contract }) => contract);
    },
    async answer(contract, method, request, from) {
      const invoke = find(contract, method);
      if (!invoke) throw problem.unavailable(`service '${contract.name}' does not run in this process`);
      return run(contract, method, from, SpanKind.SERVER, (context) => invoke(request, context));
    },
    mount(contract, handlers) {
      const table = new Map<string, Invoke>();
      for (const method of contract.rpc.methods) {
        const handle = (handlers as unknown as Record<string, Invoke | undefined>)[method.localName];
        if (!handle) throw new Error(`${contract.name} does not implement ${method.name}`);
        table.set(method.localName, handle);
      }
      mounted.set(contract.name, { contract, methods: table });
    },
    client<S extends DescService>(contract: Contract<S>, caller: string) {
      const client: Record<string, (request: unknown, context: Context) => Promise<Message>> = {};
      for (const method of contract.rpc.methods) {
        client[method.localName] = (request, context) => call(contract, method, request, { ...context, caller });
      }
      return client as Client<S>;
    },
  };
}
