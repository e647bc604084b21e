import { problem } from "#kernel";
import type { Audience, Flag, FlagRule, FlagValue } from "#kernel/ports/flags";
import type { FlagList } from "../admin/flags.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { conditionText, parseCondition } from "./flag-conditions.ts";
import { plain, table } from "./terminal.ts";

/** Whom a change is for. */
export interface AudienceOptions {
  /** Conditions that hold together. */
  readonly where: readonly string[];
  /** Keep the audiences that are there, and add this one after them. */
  readonly add: boolean;
}

/** `marquee flags list`: what the code asks for, and what is said about it. */
export async function listFlags(cli: Cli, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const { declared, rules } = await cli.client.flags();
  const ruleOf = new Map(rules.map((rule) => [rule.name, rule]));
  if (json) {
    for (const flag of declared) cli.terminal.out(JSON.stringify({ ...flag, rule: ruleOf.get(flag.name) ?? null }));
    return 0;
  }
  const rows = declared.map((flag) => [
    ...[flag.name, valueText(flag.fallback), plain(ruleText(ruleOf.get(flag.name))), flag.what],
  ]);
  for (const line of table(["FLAG", "DEFAULT", "RULE", "WHAT IT DOES"], rows, Math.max(cli.terminal.columns, 140)))
    cli.terminal.out(line);
  const unknown = rules.filter(({ name }) => !declared.some((flag) => flag.name === name));
  if (unknown.length > 0) cli.terminal.note(`Nothing asks for ${unknown.map(({ name }) => plain(name)).join(", ")}.`);
  return 0;
}

/** `marquee flags set`: a value for everybody, or for those who fit. */
export async function setFlag(cli: Cli, name: string, text: string, options: AudienceOptions): Promise<ExitCode> {
  return change(cli, name, text, { ...options, percent: 100, by: "default" });
}

/** `marquee flags rollout`: a value for a share, which may grow. */
export async function rollOut(
  cli: Cli,
  name: string,
  share: string,
  { value, ...options }: AudienceOptions & { readonly value?: string | undefined; readonly by: string },
): Promise<ExitCode> {
  const percent = /^\d{1,3}(\.\d+)?%?$/.test(share) ? Number(share.replace("%", "")) : Number.NaN;
  if (!(percent >= 0 && percent <= 100)) throw problem.invalid(`'${plain(share)}' is no share: write 0 to 100`);
  return change(cli, name, value ?? "on", { ...options, percent });
}

/** `marquee flags unset`: the default again. */
export async function unsetFlag(cli: Cli, name: string): Promise<ExitCode> {
  const list = await cli.client.flags();
  if (!list.rules.some((rule) => rule.name === name)) flagOf(list, name);
  await cli.client.removeFlag(name);
  cli.terminal.out(`${plain(name)} has its default again`);
  return 0;
}

async function change(
  cli: Cli,
  name: string,
  text: string,
  { where, add, percent, by }: AudienceOptions & { readonly percent: number; readonly by: string },
): Promise<ExitCode> {
  const list = await cli.client.flags();
  const flag = flagOf(list, name);
  const value = parseValue(flag, text);
  const conditions = where.map(parseCondition);
  if (value === false && (conditions.length > 0 || percent < 100 || add))
    throw problem.invalid(`say for whom ${plain(name)} is on: everybody else has it off (--where 'tier!=basic')`);
  const variants = typeof value === "boolean" ? [] : [{ name: "value", weight: 1_000, value }];
  const audience: Audience = { conditions, percent, stickiness: by, variants };
  const before = add ? (list.rules.find((rule) => rule.name === name)?.audiences ?? []) : [];
  const rule: FlagRule = { name, isEnabled: value !== false, audiences: [...before, audience] };
  await cli.client.putFlag(rule);
  cli.terminal.out(`${plain(name)}: ${plain(ruleText(rule))}`);
  return 0;
}

/** A flag that the code asks for: what is only mistyped would do nothing, and nobody would notice. */
function flagOf({ declared }: FlagList, name: string): Flag {
  const found = declared.find((flag) => flag.name === name);
  if (!found) throw problem.notFound(`there is no flag '${plain(name)}': ./marquee flags list shows all`);
  return found;
}

function parseValue({ name, fallback }: Flag, text: string): FlagValue {
  const wrong = (what: string): Error => problem.invalid(`${plain(name)} is ${what}, not '${plain(text)}'`);
  if (typeof fallback === "boolean") {
    if (["on", "true", "1"].includes(text)) return true;
    if (["off", "false", "0"].includes(text)) return false;
    throw wrong("on or off");
  }
  if (typeof fallback === "string") return text;
  if (typeof fallback === "number") {
    if (text.trim() === "" || !Number.isFinite(Number(text))) throw wrong("a number");
    return Number(text);
  }
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as FlagValue;
  } catch {
    // Told below, as an array or a number is.
  }
  throw wrong(`an object in JSON such as ${JSON.stringify(fallback)}`);
}

const valueText = (value: FlagValue): string =>
  typeof value === "boolean" ? (value ? "on" : "off") : JSON.stringify(value);

function ruleText(rule: FlagRule | undefined): string {
  if (!rule) return "-";
  if (!rule.isEnabled) return "off";
  return rule.audiences.map(audienceText).join("; else ") || "on";
}

function audienceText({ conditions, percent, stickiness, variants }: Audience): string {
  const weights = variants.reduce((sum, { weight }) => sum + weight, 0);
  const shown = variants.map(({ weight, value }) =>
    weight === weights ? valueText(value) : `${valueText(value)} (${Math.round((weight / weights) * 100)} %)`,
  );
  const by = stickiness === "default" ? "" : ` by ${stickiness}`;
  const share = percent < 100 ? ` for ${percent} %${by}` : "";
  const where = conditions.length > 0 ? ` where ${conditions.map(conditionText).join(" and ")}` : "";
  return `${shown.join(" or ") || "on"}${share}${where}`;
}
