import type { LRUCache } from "lru-cache";
import { Catalog } from "#contracts/catalog";
import { Models as ModelsContract } from "#contracts/models";
import { Profile } from "#contracts/profile";
import type { Recommendation } from "#contracts/recommendation";
import { Tenant } from "#contracts/tenant";
import type { Platform, Tx } from "#kernel";
import type { Known } from "#kernel/known";
import type { Worker } from "#kernel/ports/jobs";
import type { Arm } from "./domain-artwork.ts";
import type { Home } from "./home.ts";
import type { Models } from "./models.ts";
import type { Shelves } from "./shelf.ts";

export const uses = { catalog: Catalog, models: ModelsContract, profile: Profile, tenant: Tenant };
export type RecommendationPlatform = Platform<typeof Recommendation, typeof uses>;
export type RecommendationTx = Tx<typeof Recommendation>;

export interface Parts
  extends Pick<RecommendationPlatform, "db" | "call" | "cache" | "jobs" | "clock" | "config" | "logger" | "tell"> {
  readonly models: Models;
  readonly shelves: Shelves;
  /** What homes were composed of a moment ago, by tenant and profile. */
  readonly homes: LRUCache<string, Promise<Home>>;
  /** What was like which title a few minutes ago, by tenant, title and what was asked. */
  readonly alike: LRUCache<string, readonly string[]>;
  /** What is known of a tenant's pictures, by title, as of a minute ago. */
  readonly arms: LRUCache<string, ReadonlyMap<string, readonly Arm[]>>;
  /** In which order a profile is shown channels, by tenant and profile. */
  readonly orders: LRUCache<string, readonly string[]>;
  /** Profiles that were told of in `served` within the last half hour. */
  readonly told: LRUCache<string, true>;
  /** What is known of how far a profile got in a title, so that a beat that says nothing new costs nothing. */
  readonly stages: LRUCache<string, number>;
  /** Whether a tenant has a model that puts homes in order. */
  readonly isOrdered: Known<boolean>;
  /** Counts homes, by what they were made of. */
  readonly composed: (way: "model" | "popular" | "fallback") => void;
  readonly shown: () => void;
  readonly clicked: () => void;
  worker: Worker | null;
}
