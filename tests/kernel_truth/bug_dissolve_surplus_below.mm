# Free pages go offline until more pages are surplus than there are: the persistent pages wrap around below zero.
# tolerance 2%
machine nodes=2 node_mem=1G kernel_args="movablecore=1G"
pool 2M node0 140
pool 2M node1 200
spawn p
@p cpu 0
@p map a 280M hugetlb-2M policy=bind:0
@p touch a
@p map b 400M hugetlb-2M file=b shared policy=bind:1
pool 2M node1 0
@p unmap a
offline_block node1 5
offline_block node1 4
@p unmap b
unlink_hugetlb b
offline_block node0 5
pool 2M node1 3
pool 2M all 20
overcommit 2M 128
@p map c 4M hugetlb-2M
overcommit 2M 131
@p map d 6M hugetlb-2M
@p touch d
pool 2M all 10
pool 2M node0 2
@p unmap d 0 2M
pool 2M node0 4
pool 2M all 0
@p exit
pool 2M all 10
