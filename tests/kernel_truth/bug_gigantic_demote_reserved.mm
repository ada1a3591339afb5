# Gigantic pages: what has no surplus, demotion with reservations, files, parts.
# tolerance 2%
machine nodes=2 node_mem=3G
thp enabled never
pool 1G node0 1
pool 1G node1 1
spawn p
@p cpu 0
@p map a 1G hugetlb-1G
@p touch a
@p map b 2G hugetlb-1G
@p map b 1G hugetlb-1G file=b shared
demote 1G node0 1
demote 1G node1 1
@p touch b
@p advise a 0 1G dontneed
@p advise a 0 512M dontneed
@p unmap a 0 512M
@p unmap a
demote 1G node1 1
demote 1G node0 1
demote 1G node0 5
@p map c 1536M hugetlb-1G noreserve
@p touch c
@p punch b 0 512M
@p punch b 0 1G
@p touch b
@p truncate b 512M
@p unmap b
unlink_hugetlb b
@p map d 200M hugetlb-2M
@p touch d
pool 2M all 10
pool 1G all 2
@p fork q
@q touch d 0 4M
@q exit
@p exit
pool 1G all 0
pool 2M all 0
