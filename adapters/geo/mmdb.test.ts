import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Problem } from "#kernel/errors";
import { fixedGeo, openMmdbGeo } from "./mmdb.ts";

const folder = await mkdtemp(join(tmpdir(), "marquee-geo-"));
after(() => rm(folder, { recursive: true, force: true }));
const data = process.env["MARQUEE_TESTDATA"];
const skip = data ? false : "set MARQUEE_TESTDATA to the folder with the test data";

const isRefused = (error: unknown): boolean =>
  error instanceof Problem && error.code === "failed_precondition" && error.message.includes("MARQUEE_GEOIP");

test("a file that is not there, or no database, is refused by name", async () => {
  await assert.rejects(openMmdbGeo({ path: join(folder, "none.mmdb"), otherwise: "" }), isRefused);
  const path = join(folder, "text.mmdb");
  await writeFile(path, "this is no database");
  await assert.rejects(openMmdbGeo({ path, otherwise: "" }), isRefused);
});

test("without a database everybody is where the operator says", () => {
  assert.equal(fixedGeo("GB").countryOf("81.2.69.142"), "GB");
  assert.equal(fixedGeo("").countryOf("81.2.69.142"), "");
});

test("addresses of both protocols have countries, and what is no address has none", { skip }, async () => {
  const geo = await openMmdbGeo({
    path: join(data ?? "", "geoip/test-data/GeoIP2-Country-Test.mmdb"),
    otherwise: "FR",
  });
  const known = { "81.2.69.160": "GB", "::ffff:81.2.69.160": "GB", "2001:218::1": "JP" } as const;
  for (const [ip, country] of Object.entries(known)) assert.equal(geo.countryOf(ip), country, ip);
  for (const ip of ["127.0.0.1", "10.0.0.1", "", "localhost", "999.1.1.1", "81.2.69.160/24"])
    assert.equal(geo.countryOf(ip), "FR", ip);
});

test("a database of something else is refused", { skip }, async () => {
  await assert.rejects(
    openMmdbGeo({ path: join(data ?? "", "geoip/test-data/GeoLite2-ASN-Test.mmdb"), otherwise: "" }),
    isRefused,
  );
});

test("damaged databases are refused, or answer with nothing", { skip }, async () => {
  const files = globSync(join(data ?? "", "geoip/{bad-data/**,test-data}/*.mmdb"));
  assert.ok(files.length > 20);
  for (const path of files) {
    const geo = await openMmdbGeo({ path, otherwise: "" }).catch((error: unknown) => {
      assert.ok(isRefused(error), path);
      return undefined;
    });
    for (const ip of ["1.1.1.1", "81.2.69.160", "2001:218::1", "::1"])
      assert.match(geo?.countryOf(ip) ?? "", /^([A-Z]{2})?$/, path);
  }
});
