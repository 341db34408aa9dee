"use strict";

// What the explorer begins with: five operations, each in a tab. `variables` are made of a product that there is.
const TABS = [
  {
    query: `# The grid: products with their listings, and where following begins.
query Grid {
  products(first: 20) {
    edges {
      node {
        id code name total sellable
        listings {
          id quantityToShow notPushed
          shop { name }
          mallStock { quantity knownAt }
          difference { expected shown cause }
          push { state }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
  eventCursor
}
`,
  },
  {
    query: `# Live: every difference and every push, as it changes. Press the button once more to stop.
subscription Differences {
  diffEvents {
    cursor
    events {
      change at
      listing {
        id quantityToShow
        shop { name }
        mallStock { quantity }
        difference { expected shown cause }
        push { state }
        product { code total }
      }
    }
  }
}
`,
  },
  {
    query: `# What went wrong, newest first, and what to do about it.
query Errors {
  syncErrors(first: 20) {
    totalCount
    edges { node { id level kind state count message advice firstAt resolvedAt shop { name state } } }
  }
}
`,
  },
  {
    query: `# A new total; it goes out to every mall at once.
mutation SetTotal($input: SetStockInput!) {
  setStock(input: $input) {
    results {
      product { code total listings { shop { name } quantityToShow push { state } } }
      userErrors { code message }
    }
    userErrors { code message }
  }
}
`,
    variables: ({ id, total }) => ({ input: { items: [{ productId: id, total: (total ?? 0) + 1 }], reflect: true } }),
  },
  {
    query: `# Why this number: rule by rule, and what may keep it back.
query Explain($id: ID!) {
  node(id: $id) {
    ... on Listing {
      itemCode quantityToShow
      shop { name }
      explain {
        text
        steps { rule before after }
        checks { key ok text }
      }
    }
  }
}
`,
    variables: ({ listings }) => ({ id: listings[0]?.id ?? "the id of a listing" }),
  },
];
