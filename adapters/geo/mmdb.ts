import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { type CountryResponse, Reader } from "mmdb-lib";
import { problem } from "#kernel/errors";
import type { Geo } from "#kernel/ports/geo";

const COUNTRY = /^[A-Z]{2}$/;

export interface MmdbGeoOptions {
  readonly path: string;
  /** The country of addresses that are not in the file, as private ones are; empty for none. */
  readonly otherwise: string;
}

/** Countries from a file in the MaxMind DB format (GeoLite2-Country, GeoIP2-City, DB-IP), which is read whole at start. */
export async function openMmdbGeo({ path, otherwise }: MmdbGeoOptions): Promise<Geo> {
  const reader = await read(path);
  return {
    countryOf(ip) {
      // Sockets that speak both protocols write IPv4 addresses inside IPv6 ones.
      const address = ip.replace(/^::ffff:(?=\d+\.)/i, "");
      if (isIP(address) === 0) return otherwise;
      try {
        const found = reader.get(address);
        const code = found?.country?.iso_code ?? found?.registered_country?.iso_code;
        return typeof code === "string" && COUNTRY.test(code) ? code : otherwise;
      } catch {
        // A damaged record is an address that nobody knows.
        return otherwise;
      }
    },
  };
}

/** Every viewer is in one country. */
export const fixedGeo = (country: string): Geo => ({ countryOf: () => country });

async function read(path: string): Promise<Reader<CountryResponse>> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw problem.precondition(`MARQUEE_GEOIP names '${path}', which cannot be read: ${String(cause)}`, { cause });
  });
  try {
    const reader = new Reader<CountryResponse>(bytes);
    if (!/country|city|enterprise/i.test(reader.metadata.databaseType))
      throw new Error(`it is '${reader.metadata.databaseType}', which has no countries`);
    return reader;
  } catch (cause) {
    throw problem.precondition(
      `MARQUEE_GEOIP names '${path}', which is no country database in the MaxMind DB format (${cause instanceof Error ? cause.message : String(cause)}): take a GeoLite2-Country.mmdb`,
      { cause },
    );
  }
}
