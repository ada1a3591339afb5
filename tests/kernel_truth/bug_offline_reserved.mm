# Offlining under pools: free pages with and without reservations, surplus, pages in use.
# tolerance 2%
machine nodes=2 node_mem=1G kernel_args="movablecore=1G"
pool 2M node1 200
spawn p
@p cpu 1
@p map a 200M hugetlb-2M policy=bind:1
@p touch a 0 100M
offline_block node1 5
offline_block node1 4
pool 2M node0 20
offline_block node1 4
@p touch a
overcommit 2M 40
pool 2M node1 150
offline_block node1 4
offline_block node1 4
@p unmap a 0 100M
offline_block node1 3
@p unmap a
pool 2M node1 100
offline_block node1 3
offline_block node1 9
pool 2M all 0
@p exit
