/** The nine groups of ARCH-001, section 6, "Feature Groups", in its order. */
import type { FeatureGroup, Kind } from "./domain.ts";
import { channel } from "./domain-channel.ts";
import { embedding, metadata } from "./domain-content.ts";
import { device } from "./domain-device.ts";
import { tastes } from "./domain-genres.ts";
import { history } from "./domain-history.ts";
import { network } from "./domain-network.ts";
import { popularity } from "./domain-popularity.ts";
import { session } from "./domain-session.ts";

/** Those that add up what happened: their state is in PostgreSQL. */
const kinds: readonly Kind[] = [
  ...[closed(history), closed(tastes), closed(device), closed(metadata), closed(embedding)],
  ...[closed(popularity), closed(channel), closed(network)],
];

/** Those and `session_context`, which its last beat alone says. */
export const groups: readonly FeatureGroup[] = [...kinds.map(({ group }) => group), session];

const byName = new Map(kinds.map((kind) => [kind.group.name, kind]));

export const kindOf = (group: string): Kind | undefined => byName.get(group);

/** A kind as whoever reads its rows has it: a state is what was written for it, or nothing yet. */
function closed<S>(kind: Kind<S>): Kind {
  const stateOf = (state: unknown): S => (state ?? kind.empty) as S;
  return {
    ...{ group: kind.group, empty: kind.empty },
    valuesOf: (state, atMs) => kind.valuesOf(stateOf(state), atMs),
    changesAt: (state, atMs) => kind.changesAt?.(stateOf(state), atMs),
  };
}
