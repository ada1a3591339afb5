# Demoted pages are never taken for surplus pages: in the end there is surplus, but no gigantic page, and their pool does not grow again.
# tolerance 2%
machine nodes=3 node_mem=3G
thp enabled never
pool 1G node1 1
pool 1G node2 1
spawn p
@p cpu 1
@p map b 2G hugetlb-1G
pool 1G node2 0
demote 1G node2 1
@p unmap b
demote 1G node1 1
demote 1G node1 1
pool 1G all 1
pool 1G node1 2
@p map c 1G hugetlb-1G
pool 2M all 100
@p map d 100M hugetlb-2M
@p touch d
pool 2M all 0
@p exit
pool 1G all 0
