import { Epg, type GuideProgramme } from "#contracts/epg";
import { Profile } from "#contracts/profile";
import type { Schedule } from "#contracts/schedule";
import { Tenant } from "#contracts/tenant";
import type { Platform } from "#kernel";
import type { Airing } from "./domain.ts";

export const uses = { epg: Epg, profile: Profile, tenant: Tenant };
export type SchedulePlatform = Platform<typeof Schedule, typeof uses>;

export interface Parts extends Pick<SchedulePlatform, "db" | "call" | "clock" | "logger"> {
  readonly counted: (reason: string, count: number) => void;
}

const LANGUAGES_MAX = 8;

export const airingOf = ({ titles, title, startMs, stopMs }: GuideProgramme): Airing => ({
  titles:
    titles.length > 0
      ? Object.fromEntries(titles.slice(0, LANGUAGES_MAX).map(({ language, text }) => [language, text]))
      : { "": title },
  startMs: Number(startMs),
  stopMs: Number(stopMs),
});
