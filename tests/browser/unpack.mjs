// The browser out of its npm package: node unpack.mjs FOLDER. It brings the libraries that a bare machine may lack.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

const packed = new URL("node_modules/@sparticuz/chromium/bin/", import.meta.url);
const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const unpacked = (name) => brotliDecompressSync(readFileSync(new URL(`${name}.br`, packed)));
for (const archive of ["al2023.tar", "swiftshader.tar"])
  execFileSync("tar", ["-x", "-C", folder], { input: unpacked(archive) });
writeFileSync(`${folder}/chromium`, unpacked("chromium"), { mode: 0o755 });
