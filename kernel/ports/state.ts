/** How an adapter is, for /readyz and `marquee doctor`. `detail` names the engine and, when it is not well, the remedy. */
export interface AdapterState {
  readonly ok: boolean;
  readonly detail: string;
}

export interface Stateful {
  state(): Promise<AdapterState>;
}
