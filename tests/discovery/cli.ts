import type { Contract } from "#kernel";
import type { Cli } from "../../apps/cli/cli.ts";
import type { TestHost } from "../host.ts";

/** The operator's commands on the services of a test, and what they print. */
export function cliOf(host: TestHost): { readonly cli: Cli; readonly printed: string[] } {
  const printed: string[] = [];
  const of = (contract: Contract) => {
    const client = host.client(contract, "admin") as unknown as Readonly<
      Record<string, (...of: unknown[]) => Promise<unknown>>
    >;
    const calls = contract.rpc.methods.map(({ localName }) => [
      localName,
      (request: unknown) => client[localName]?.(request, host.context()),
    ]);
    return Object.fromEntries(calls) as object;
  };
  const terminal = { columns: 200, out: (line: string) => void printed.push(line), note: () => undefined };
  return { cli: { terminal, client: { of } } as unknown as Cli, printed };
}
