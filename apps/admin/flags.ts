import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { type Audit, audited, type Contract, problem, toProblem } from "#kernel";
import { serviceSwitch } from "#kernel/flags";
import { sendProblem } from "#kernel/http";
import type { Flag, FlagRule, Flags } from "#kernel/ports/flags";
import { flags as declared } from "#contracts/flags";
import { CODE_HEADER, readBody, TENANT_HEADER } from "./calls.ts";

/** What the operator's commands are told: what the code asks for, and what is said about it. */
export interface FlagList {
  readonly declared: readonly Flag[];
  readonly rules: readonly FlagRule[];
}

const OPERATORS = [
  ...["IN", "NOT_IN", "STR_STARTS_WITH", "STR_ENDS_WITH", "STR_CONTAINS", "NUM_EQ", "NUM_GT", "NUM_GTE", "NUM_LT"],
  ...["NUM_LTE", "DATE_AFTER", "DATE_BEFORE", "SEMVER_EQ", "SEMVER_GT", "SEMVER_GTE", "SEMVER_LT", "SEMVER_LTE"],
  ...["REGEX", "IN_CIDR"],
] as FlagRule["audiences"][number]["conditions"][number]["operator"][];
const Condition = z.object({
  attribute: z.string(),
  operator: z.enum(OPERATORS),
  values: z.array(z.string()),
  isInverted: z.boolean(),
});
const Variant = z.object({
  name: z.string().min(1).max(100),
  weight: z.number(),
  value: z.union([z.boolean(), z.string(), z.number(), z.record(z.string(), z.unknown())]),
});
const Rule = z.object({
  name: z.string(),
  isEnabled: z.boolean(),
  audiences: z.array(
    z.object({
      conditions: z.array(Condition),
      percent: z.number(),
      stickiness: z.string(),
      variants: z.array(Variant),
    }),
  ),
});

/** `GET /flags`, `PUT /flags/{name}` with a rule, `DELETE /flags/{name}`: flags, for the operator of this machine. */
export function openFlagCalls(flags: Flags, contracts: readonly Contract[], audit: Audit) {
  const list = (): FlagList => ({
    declared: [...declared, ...contracts.map(({ name }) => serviceSwitch(name))],
    rules: flags.rules(),
  });

  async function answer(request: IncomingMessage): Promise<FlagList> {
    const name = decodeURIComponent((request.url ?? "").split("?", 1)[0]?.replace(/^\/flags\/?/, "") ?? "");
    const tenant = String(request.headers[TENANT_HEADER] ?? "");
    const change = (verb: string, work: () => Promise<void>): Promise<void> =>
      audited(audit, { tenant, who: "operator", what: `flags.${verb}`, on: name, from: "socket" }, work);
    if (request.method === "PUT") {
      const read = Rule.safeParse(JSON.parse(await readBody(request)));
      if (!read.success)
        throw problem.invalid(`this is no rule of a flag: ${z.prettifyError(read.error).slice(0, 300)}`);
      if (read.data.name !== name) throw problem.invalid(`the rule is for '${read.data.name}', not '${name}'`);
      await change("set", () => flags.put(read.data));
    } else if (request.method === "DELETE") await change("unset", () => flags.remove(name));
    else if (request.method !== "GET") throw problem.invalid(`${request.method ?? "?"} is not GET, PUT or DELETE`);
    return list();
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const body = JSON.stringify(await answer(request));
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } catch (error) {
      const fault = error instanceof SyntaxError ? problem.invalid("the body is not JSON") : toProblem(error);
      response.setHeader(CODE_HEADER, fault.code);
      sendProblem(request, response, fault);
    }
  };
}
