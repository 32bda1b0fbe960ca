/*
warehouse: analytics
key: [warehouse_code, sku]
fresh: 1h
*/
select warehouse_code, sku, title, supplier from inventory join products using (sku)
