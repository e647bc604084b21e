import type { DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Context } from "./context.ts";

/** An Avro record schema as generated into a contract's gen/events.ts. */
export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly namespace?: string;
  readonly fields: readonly object[];
}

/** One kind of event: its dotted name, its Avro schema and, for the compiler only, its payload. */
export interface EventType<P = unknown> {
  readonly name: string;
  readonly schema: AvroRecord;
  readonly payload?: P;
}

export const event =
  <P>() =>
  (name: string, schema: AvroRecord): EventType<P> => ({ name, schema });

/** What a service publishes: its calls and its events. A contract is a leaf: it imports nothing but kernel types. */
export interface Contract<R extends DescService = DescService, E extends Events = Events> {
  readonly name: string;
  readonly rpc: R;
  readonly events: E;
}

// biome-ignore format: one line reads best
// The payload is erased here on purpose: a map of events of any payload.
export type Events = Readonly<Record<string, EventType>>;

export const defineContract = <R extends DescService, E extends Events>(contract: Contract<R, E>): Contract<R, E> =>
  contract;

export type EventName<C extends Contract> = keyof C["events"] & string;
export type EventPayload<C extends Contract, K extends EventName<C>> = PayloadOf<C["events"][K]>;
export type PayloadOf<T> = T extends EventType<infer P> ? P : never;

type Unary<S extends DescService> = {
  [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary ? S["method"][K] : never;
};

/** What a service implements: one function a method, request in, anything that initialises the response out. */
export type Handlers<S extends DescService> = {
  readonly [K in keyof Unary<S>]: (
    request: MessageShape<Unary<S>[K]["input"]>,
    context: Context,
  ) => Promise<MessageInitShape<Unary<S>[K]["output"]>>;
};

/** What a caller sees: the same methods. The context says for whom and until when. */
export type Client<S extends DescService> = {
  readonly [K in keyof Unary<S>]: (
    request: MessageInitShape<Unary<S>[K]["input"]>,
    context: Context,
  ) => Promise<MessageShape<Unary<S>[K]["output"]>>;
};

export type Clients<U extends Readonly<Record<string, Contract>>> = { readonly [K in keyof U]: Client<U[K]["rpc"]> };
