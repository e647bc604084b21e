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
