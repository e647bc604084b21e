import { Catalog } from "#contracts/catalog";
import { Search } from "#contracts/search";
import type { Cli, ExitCode } from "./cli.ts";
import { table } from "./terminal.ts";

interface Options {
  readonly age: string;
  readonly limit: string;
  readonly json: boolean;
}

/** `marquee search QUERY`: what a viewer of that age would find, and how the question was understood. */
export async function search(cli: Cli, query: string, { age, limit, json }: Options): Promise<ExitCode> {
  const asked = { query, ageRatingMax: Number(age), limit: Number(limit), thorough: true };
  const found = await cli.client.of(Search).query(asked);
  const { titles } = await cli.client.of(Catalog).getMany({ ids: found.contentIds });
  const { total, corrected, understoodBy, partial } = found;
  const understood = found.understood.map(({ id }) => id);
  if (json) {
    const shown = titles.map(({ id, title, year, kind, genres }) => ({ id, title, year, kind, genres }));
    const people = found.people.map(({ name, titles: count }) => ({ name, titles: count }));
    cli.terminal.out(JSON.stringify({ total, corrected, understood, understoodBy, partial, people, titles: shown }));
    return 0;
  }
  if (understood.length > 0) cli.terminal.note(`understood as: ${understood.join(" · ")}`);
  if (corrected !== "") cli.terminal.note(`taken for: ${corrected}`);
  if (found.people.length > 0) cli.terminal.note(`people: ${found.people.map(({ name }) => name).join(", ")}`);
  if (titles.length === 0) {
    cli.terminal.note("nothing fits");
    return 0;
  }
  const rows = titles.map(({ id, title, year, genres }) => [
    id,
    title,
    year === 0 ? "" : String(year),
    genres.join(", "),
  ]);
  for (const line of table(["ID", "TITLE", "YEAR", "GENRES"], rows, cli.terminal.columns)) cli.terminal.out(line);
  if (total > titles.length) cli.terminal.note(`${total} titles fit`);
  return 0;
}
