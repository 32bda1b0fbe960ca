/** The connection of README.md: an ERP with an action of each class. The sandbox is this ERP. */
export const example = `erp:
  connector: http
  base_url: https://erp.example/api
  bearer_token: env:ERP_TOKEN
  headers: { x-company: acme }
  check: /me
  rate_limit: { requests: 50, per: 1s }
  actions:
    create_purchase_order:
      summary: Orders a product at its supplier.
      idempotency: keyed
      fields:
        reference: /reference
        supplier: { type: any_case, read: /supplier/code }
        sku: /lines/0/sku
        quantity: { type: number, read: /lines/0/quantity }
        due: { type: date, read: /due_at, required: false }
        note: { read: /note, required: false }
      write:
        path: /purchase-orders
        headers: { Idempotency-Key: "{idempotency_key}" }
        body:
          reference: "{reference}"
          external_id: "{action_key}"
          supplier: { code: "{supplier}" }
          lines: [{ sku: "{sku}", quantity: "{quantity}" }]
          due_at: "{due}"
          note: "{note}"
        success: { where: { /ok: true } }
        refused: { where: { /ok: false } }
        id: /data/id
        error: /problem/text
      read:
        by_id: { path: "/purchase-orders/{id}", record: /data }
        find:
          path: /purchase-orders
          query: { external_id: "{action_key}" }
          items: /data
          id: /id
          key: /external_id
      link: https://erp.example/purchase-orders/{id}
      undo: { action: add_note, fields: { text: "Do not deliver: withdrawn." } }
      lag: 2s
    put_product:
      summary: Creates a product, or sets its values.
      idempotency: upsert
      fields:
        sku: /sku
        title: /title
        reorder_point: { type: number, read: /reorder_point }
        active: { type: boolean, read: /active, required: false }
      write:
        method: PUT
        path: /products/{sku}
        body: { title: "{title}", reorder_point: "{reorder_point}", active: "{active}" }
        headers: { X-Request-Id: "{action_key}" }
        id: "{sku}"
      read:
        find: { path: "/products/{sku}", id: /sku }
      lag: 2s
    put_stock_levels:
      summary: Sets how much of a product lies in a warehouse, many at a time.
      idempotency: upsert
      fields:
        sku: /sku
        place: /place
        level: { type: number, read: /level }
      write:
        path: /stock-levels/batch
        body: { sku: "{sku}", place: "{place}", level: "{level}", trace: "{action_key}" }
        batch:
          max: 100
          body: { levels: "{items}" }
          results: /results
          match: { /trace: "{action_key}" }
        success: { where: { /status: ok } }
        refused: { where: { /status: refused } }
        id: /id
        error: /problem
      read:
        find: { path: /stock-levels, query: { sku: "{sku}", place: "{place}" }, items: /levels, id: /id }
      lag: 2s
    add_note:
      summary: Writes a note on an order that an earlier destination made.
      idempotency: marker
      fields:
        text: /text
      write:
        path: /purchase-orders/{parent_id}/notes
        body: { text: "{text}", external_id: "{action_key}" }
        id: /id
      read:
        find: { path: "/purchase-orders/{parent_id}/notes", items: "", id: /id, key: /external_id }
      lag: 2s
    create_order:
      summary: Orders from stock. The API knows no key and no unique value.
      fields:
        reference: /reference
        note: /note
      write:
        path: /orders
        body: { reference: "{reference}", note: "{note}" }
        headers: { X-Request-Id: "{action_key}" }
        success: { status: 201 }
        id: /id
      read:
        by_id: { path: "/orders/{id}" }
        find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id, match: [note] }
      lag: 2s`;
