import { Catalog } from "#contracts/catalog";
import { Experiments } from "#contracts/experiments";
import { Metadata } from "#contracts/metadata";
import { Models } from "#contracts/models";
import type { Contract } from "#kernel";

const namesOf = <C extends Contract>(contract: C, ...methods: (keyof C["rpc"]["method"] & string)[]) => ({
  contract,
  names: methods.map((method) => `${contract.name}/${method}`),
});

/** The calls that the pages need, and no others. What they do not list is done by commands. */
const lists = [
  namesOf(Metadata, "list", "get", "correct", "findings", "decide", "unsure", "similar", "enrich", "publishSubtitles"),
  namesOf(Models, "overview", "list", "train", "promote", "rollback"),
  namesOf(Experiments, "list", "results", "start", "stop"),
  // `update` chooses another picture; everything of a title may be changed by it, as by `./marquee title edit`.
  namesOf(Catalog, "getMany", "update"),
];

export const allowedContracts: readonly Contract[] = lists.map(({ contract }) => contract);
export const allowedCalls: ReadonlySet<string> = new Set(lists.flatMap(({ names }) => names));
