// Takes out of the package-lock.json it is started beside what is no part of what gets installed: addresses.
import { readFileSync, writeFileSync } from "node:fs";

const path = "package-lock.json";
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const each of Object.values(lock.packages)) {
  delete each.resolved;
  delete each.funding;
  delete each.deprecated;
}
writeFileSync(path, JSON.stringify(lock, null, 2) + "\n");
