# Memory goes offline while files use surplus pages: beside free persistent pages, and under the surplus pages.
# tolerance 2%
machine nodes=2 node_mem=1G kernel_args="movablecore=1G"
overcommit 2M 100
pool 2M node1 30
spawn p
@p cpu 1
@p map s 100M hugetlb-2M file=s shared
@p touch s
pool 2M node0 70
offline_block node0 5
offline_block node0 5
pool 2M node1 40
offline_block node1 5
@p truncate s 40M
offline_block node1 5
pool 2M all 0
@p map t 40M hugetlb-2M file=t shared policy=bind:0
pool 2M node0 15
offline_block node0 5
@p touch t 0 20M
offline_block node1 4
@p unmap s
unlink_hugetlb s
pool 2M all 5
@p unmap t
unlink_hugetlb t
pool 2M all 5
@p exit
pool 2M all 0
