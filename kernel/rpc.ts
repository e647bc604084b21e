import {
  clone,
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
import type { Client, Contract, Handlers } from "./contract.ts";
import { Problem, problem, toProblem } from "./errors.ts";
import { inSpan, type Metrics } from "./telemetry.ts";

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

export interface TransportOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Tests pay for the whole wire: bytes there and back, and frozen requests. */
  readonly roundTrip?: boolean;
}

export function localTransport({ clock, metrics, roundTrip = false }: TransportOptions): Transport {
  const mounted = new Map<string, Map<string, Invoke>>();

  const copy = <D extends DescMessage>(schema: D, value: unknown): Message => {
    const message = create(schema, value as MessageInitShape<D>);
    return roundTrip ? Object.freeze(fromBinary(schema, toBinary(schema, message))) : clone(schema, message);
  };

  async function call(
    contract: Contract,
    method: DescMethod,
    request: unknown,
    from: Context,
    caller: string,
  ): Promise<Message> {
    const invoke = mounted.get(contract.name)?.get(method.localName);
    if (!invoke) throw problem.unavailable(`service '${contract.name}' does not run in this process`);
    const started = performance.now();
    let code = "ok";
    try {
      return await inSpan(
        `${contract.name}/${method.name}`,
        { "rpc.system": "marquee", "rpc.service": contract.name, "rpc.method": method.name },
        from.span,
        async (span) => {
          const leftMs = from.deadlineMs - clock.nowMs();
          const what = `${contract.name}.${method.name}`;
          if (from.signal.aborted) throw gaveUp(what);
          if (leftMs <= 0) throw problem.deadline(`${what} was called after its deadline`);
          const context: Context = { ...from, caller, span };
          const response = await within(leftMs, what, from.signal, invoke(copy(method.input, request), context));
          return copy(method.output, response);
        },
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

  return {
    mount(contract, handlers) {
      const table = new Map<string, Invoke>();
      for (const method of contract.rpc.methods) {
        const handle = (handlers as unknown as Record<string, Invoke | undefined>)[method.localName];
        if (!handle) throw new Error(`${contract.name} does not implement ${method.name}`);
        table.set(method.localName, handle);
      }
      mounted.set(contract.name, table);
    },
    client<S extends DescService>(contract: Contract<S>, caller: string) {
      const client: Record<string, (request: unknown, context: Context) => Promise<Message>> = {};
      for (const method of contract.rpc.methods) {
        client[method.localName] = (request, context) => call(contract, method, request, context, caller);
      }
      return client as Client<S>;
    },
  };
}

const gaveUp = (what: string): Problem => new Problem("canceled", `${what}: the caller gave up`);

/** Settles as `work` does, or with `deadline_exceeded` or `canceled` when time or the caller's patience ends first. */
function within<T>(ms: number, what: string, signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => finish(() => reject(problem.deadline(`${what} did not answer in time`))),
      Math.min(ms, 2_147_483_647),
    );
    const onAbort = (): void => finish(() => reject(gaveUp(what)));
    signal.addEventListener("abort", onAbort, { once: true });
    function finish(settle: () => void): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      settle();
    }
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
