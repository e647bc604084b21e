import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCENT_DEFAULT, checkTenant, normalizeHost } from "./domain.ts";

test("a host is compared without case, port and root dot", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["Cinema.Example", "cinema.example"],
    ["cinema.example:8443", "cinema.example"],
    ["cinema.example.", "cinema.example"],
    ["[::1]:8080", "[::1]"],
    [" localhost ", "localhost"],
  ];
  for (const [given, host] of cases) assert.equal(normalizeHost(given), host);
});

test("a tenant is stored as it will be compared", () => {
  const made = checkTenant({ id: "a", name: " A ", hosts: ["B.example:1", "a.example", "b.example"], accent: "" });
  assert.deepEqual(made, { id: "a", name: "A", hosts: ["a.example", "b.example"], accent: ACCENT_DEFAULT });
});

test("what is wrong is named", () => {
  const good = { id: "a", name: "A", hosts: [], accent: "#ffffff" };
  assert.throws(() => checkTenant({ ...good, name: "" }), /name/);
  assert.throws(() => checkTenant({ ...good, accent: "red" }), /accent 'red'/);
  assert.throws(() => checkTenant({ ...good, hosts: ["a b"] }), /'a b' is not a host/);
  assert.throws(
    () => checkTenant({ ...good, hosts: Array.from({ length: 21 }, (_, n) => `h${n}.example`) }),
    /21 hosts/,
  );
});
