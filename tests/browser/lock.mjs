// Takes out of package-lock.json what is no part of what gets installed: addresses.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const each of Object.values(lock.packages)) {
  delete each.resolved;
  delete each.funding;
  delete each.deprecated;
}
writeFileSync(path, JSON.stringify(lock, null, 2) + "\n");
