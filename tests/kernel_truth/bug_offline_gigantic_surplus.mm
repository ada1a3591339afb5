# A block inside a free gigantic page stays online, with and without surplus; the surplus page goes with the reservation.
# tolerance 2%
machine nodes=3 node_mem=3G
thp enabled never
pool 1G node1 1
pool 1G node2 1
spawn p
@p cpu 1
@p map a 1G hugetlb-1G policy=bind:1
@p touch a
@p map b 1G hugetlb-1G policy=bind:2
pool 1G node2 0
@p unmap a
offline_block node2 10
@p unmap b
offline_block node1 10
pool 1G node1 1
pool 1G all 1
@p exit
pool 1G all 0
