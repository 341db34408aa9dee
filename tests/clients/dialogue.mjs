// A script that is asked things by the test that runs it: each question and each answer is a line of JSON.
import { createInterface } from "node:readline";

export async function converse(answers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { ask, ...more } = JSON.parse(line);
    process.stdout.write(JSON.stringify((await answers[ask](more)) ?? null) + "\n");
  }
  process.exit();
}

// What was heard so far, for those who wait until it is enough.
export class Ear {
  heard = [];
  #waiting = [];

  hear(...events) {
    this.heard.push(...events);
    this.#waiting = this.#waiting.filter(([count, enough]) => {
      if (this.heard.length < count) return true;
      enough(this.heard);
      return false;
    });
  }

  until(count) {
    if (this.heard.length >= count) return this.heard;
    return new Promise((enough) => this.#waiting.push([count, enough]));
  }
}
