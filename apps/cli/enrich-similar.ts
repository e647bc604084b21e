import { Catalog } from "#contracts/catalog";
import { Metadata } from "#contracts/metadata";
import type { Cli, ExitCode } from "./cli.ts";
import { percent, plain, table } from "./terminal.ts";

/** `marquee enrich similar` */
export async function listSimilar(
  cli: Cli,
  contentId: string,
  { min = 0, limit = 0, json }: { readonly min?: number; readonly limit?: number; readonly json: boolean },
): Promise<ExitCode> {
  const found = await cli.client.of(Metadata).similar({ contentId, similarityMin: min, limit });
  if (json) {
    for (const { contentId: id, similarity } of found.titles)
      cli.terminal.out(JSON.stringify({ contentId: id, similarity, maker: found.maker }));
    return 0;
  }
  const ids = found.titles.map((title) => title.contentId);
  const { titles } = ids.length === 0 ? { titles: [] } : await cli.client.of(Catalog).getMany({ ids });
  const names = new Map(titles.map(({ id, title }) => [id, title]));
  const rows = found.titles.map(({ contentId: id, similarity }) => [
    id,
    percent(similarity),
    plain(names.get(id) ?? ""),
  ]);
  for (const line of table(["TITLE", "ALIKE", "NAME"], rows, cli.terminal.columns)) cli.terminal.out(line);
  if (found.tooFew)
    cli.terminal.note("A look is told from the middle of a catalogue: with fewer than five titles nothing is said.");
  else if (rows.length === 0) cli.terminal.note(`None of the ${found.compared} others looks alike.`);
  if (found.partial) cli.terminal.note(`There may be more titles than the ${found.compared} that were compared.`);
  return 0;
}
