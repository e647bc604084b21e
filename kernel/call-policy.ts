import type { Uses } from "./service.ts";

/** Whether somebody declared that they call a service. */
export type CallPolicy = (caller: string, callee: string) => boolean;

/** Somebody who calls services: a service, a BFF or the operator's tools. */
export interface Caller {
  readonly name: string;
  /** The services that it declares to call; `all` is for operators. */
  readonly uses: Uses | "all";
}

/** What may call what follows from the declarations, and stands nowhere else. */
export function callPolicy(callers: readonly Caller[]): CallPolicy {
  const declared = new Map(
    callers.map(({ name, uses }) => [
      name,
      uses === "all" ? uses : new Set(Object.values(uses).map((used) => used.name)),
    ]),
  );
  return (caller, callee) => {
    const uses = declared.get(caller);
    return uses === "all" || (uses?.has(callee) ?? false);
  };
}
