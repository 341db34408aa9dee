// Following on over broken sockets. A client of graphql-ws that subscribes again by itself sends the `after` that it began
// with, and hears everything since then twice; here it is the cursor of the last frame that arrived.

const PAUSE_MILLISECONDS = 100;

// Events of the socket. Close codes from 4000 on are a word about us, not about the line: trying again changes nothing.
const isBroken = (cause) =>
  !Array.isArray(cause) && !(cause instanceof Error) && !(cause.code >= 4000);

const cursorOf = ({ data }) => data && Object.values(data)[0]?.cursor;

// `client`: of graphql-ws, made with retryAttempts 0. Answers one that is used in the same way.
export function resuming(client) {
  const subscribe = (payload, sink) => {
    let variables = payload.variables;
    let leave;
    let pause;
    const begin = () => {
      leave = client.subscribe({ ...payload, variables }, { ...said, error });
    };
    const said = {
      next(result) {
        const after = cursorOf(result);
        if (after) variables = { ...variables, after };
        sink.next(result);
      },
      complete: () => sink.complete(),
    };
    const error = (cause) => {
      if (isBroken(cause)) pause = setTimeout(begin, PAUSE_MILLISECONDS);
      else sink.error(cause);
    };
    begin();
    return () => {
      clearTimeout(pause);
      leave();
    };
  };
  return { ...client, subscribe };
}
