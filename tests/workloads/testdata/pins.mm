# Pages that are held beyond their mappings, and given back in process and in interrupt context.
machine nodes=2 node_mem=1G
pool 2M all 16
spawn p
@p map a 8M hugetlb-2M
@p pin a
@p pin a 0 2M
@p unmap a
@p unpin a irq
@p map b 4M hugetlb-2M
@p pin b 2M 2M
@p unpin b
@p exit
