import { defineContract, event } from "../../kernel/contract.ts";
import {
  type SearchQuery,
  searchQuerySchema,
  type SearchResultClicked,
  searchResultClickedSchema,
} from "./gen/events.ts";
import { SearchService } from "./gen/search_pb.js";

export type { SearchQuery, SearchResultClicked } from "./gen/events.ts";
export type * from "./gen/search_pb.js";

export const Search = defineContract({
  name: "search",
  rpc: SearchService,
  events: {
    query: event<SearchQuery>()("search.query", searchQuerySchema),
    resultClicked: event<SearchResultClicked>()("search.result.clicked", searchResultClickedSchema),
  },
});
