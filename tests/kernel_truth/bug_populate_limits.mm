# Populating and locking at the limits: private, shared, quota, bound nodes, other people's reservations.
machine nodes=2 node_mem=768M
pool 2M node0 4
pool 2M node1 2
mount_hugetlbfs /q pagesize=2M,size=4M
spawn p
@p cpu 0
@p map a 16M hugetlb-2M noreserve populate
@p unmap a
@p map a 8M hugetlb-2M noreserve policy=bind:1
@p advise a 0 8M populate_write
@p advise a 0 8M populate_read
@p advise a 0 4M populate_write
@p lock a
@p touch a 4M 4M
@p unmap a
@p map b 4M hugetlb-2M
@p map c 16M hugetlb-2M noreserve populate shared
@p advise c 0 16M populate_write
@p lock c 0 8M
@p lock c
@p touch b
@p unmap c
@p map d 8M hugetlb-2M file=/q/d shared noreserve populate
@p advise d 0 8M populate_write
@p lock d
@p touch d
@p punch d 0 2M
@p advise d 0 8M populate_read
@p map e 2M hugetlb-2M file=/q/d noreserve populate
@p advise e 0 2M populate_write
@p touch e
@p unmap d
unlink /q/d
@p unmap e
@p map f 4M hugetlb-2M populate policy=bind:1
@p map g 4M hugetlb-2M policy=bind:1 populate
@p touch g
@p advise g 0 4M populate_write
@p fork q
@q advise b 0 4M populate_write
@q advise g 0 4M populate_write
@q lock b
@q exit
@p exit
