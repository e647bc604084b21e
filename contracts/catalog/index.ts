import { defineContract, event } from "../../kernel/contract.ts";
import {
  type CatalogAvailabilityChanged,
  catalogAvailabilityChangedSchema,
  type CatalogTitleAdded,
  catalogTitleAddedSchema,
  type CatalogTitleUpdated,
  catalogTitleUpdatedSchema,
} from "./gen/events.ts";
import { CatalogService } from "./gen/catalog_pb.js";

export type { CatalogAvailabilityChanged, CatalogTitleAdded, CatalogTitleUpdated } from "./gen/events.ts";
export type * from "./gen/catalog_pb.js";

export const Catalog = defineContract({
  name: "catalog",
  rpc: CatalogService,
  events: {
    titleAdded: event<CatalogTitleAdded>()("catalog.title.added", catalogTitleAddedSchema),
    titleUpdated: event<CatalogTitleUpdated>()("catalog.title.updated", catalogTitleUpdatedSchema),
    availabilityChanged: event<CatalogAvailabilityChanged>()(
      "catalog.availability.changed",
      catalogAvailabilityChangedSchema,
    ),
  },
});

const SIMULATED = "sim_";
/** Whether a title is one of a simulation's, which has no media: no other's id begins so. */
export const isSimulatedId = (contentId: string): boolean => contentId.startsWith(SIMULATED);
export const simulatedId = (rest: string): string => `${SIMULATED}${rest}`;
