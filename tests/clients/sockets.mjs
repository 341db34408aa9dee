// How this API is followed: graphql-ws over ws, resuming by itself.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { resuming } from "./resuming.mjs";

export const connected = (address, token, options) =>
  createClient({
    url: `ws://${address}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}`, locale: "EN" },
    retryAttempts: 0,
    ...options,
  });

export const following = (address, token) => resuming(connected(address, token));
