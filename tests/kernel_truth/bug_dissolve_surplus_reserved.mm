# With more surplus than pages, any resize takes every free page, those that are reserved with them; what is left for the reservations.
# tolerance 2%
machine nodes=2 node_mem=1G kernel_args="movablecore=1G"
pool 2M node0 140
pool 2M node1 200
spawn p
@p cpu 1
@p map a 280M hugetlb-2M policy=bind:0
@p touch a
@p map b 400M hugetlb-2M file=b shared policy=bind:1
pool 2M node1 0
@p unmap a
offline_block node1 5
offline_block node1 4
unlink_hugetlb b
@p unmap b
@p map e 40M hugetlb-2M file=e shared
@p touch e 0 20M
@p map h 20M hugetlb-2M
@p touch h 0 10M
offline_block node0 5
pool 2M node1 40
@p touch e 20M 10M
@p touch h 10M 4M
@p map f 8M hugetlb-2M
overcommit 2M 150
@p touch e 30M 4M
@p map g 20M hugetlb-2M policy=bind:1
@p touch h
@p touch g 0 6M
pool 2M all 1000
@p touch g
@p fork q
@q touch g 0 2M
@q exit
@p unmap g
@p truncate e 10M
@p unmap h
@p policy bind:1
@p pool 2M mempolicy 8
@p map i 20M hugetlb-2M noreserve
@p touch i
unlink_hugetlb e
@p exit
pool 2M all 30
