import type { DemoFilm } from "./film.ts";
import { RAIN, WEAVER } from "./films-of-craft.ts";
import { EMBER, SNOW, TIDE } from "./films-of-weather.ts";
import { PERIHELION, SEED, SUNS } from "./films-of-wonder.ts";

export type { Credit, DemoFilm, Reel } from "./film.ts";

/** In the order in which a first start makes them: the quickest first, the longest last. */
export const DEMO_FILMS: readonly DemoFilm[] = [TIDE, PERIHELION, EMBER, RAIN, SUNS, WEAVER, SEED, SNOW];
