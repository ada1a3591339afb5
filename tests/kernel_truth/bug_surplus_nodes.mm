# Surplus pages: overcommit lowered below them, pools set while they are there, nodes apart.
machine nodes=2 node_mem=1G
overcommit 2M 4
spawn p
@p cpu 1
@p map a 6M hugetlb-2M
@p map b 4M hugetlb-2M
@p touch a
overcommit 2M 1
@p map c 2M hugetlb-2M noreserve
@p touch c
pool 2M node0 1
pool 2M node1 2
pool 2M all 3
overcommit 2M 0
@p unmap a 0 2M
pool 2M all 2
@p unmap a
pool 2M node1 0
overcommit 2M 3
@p map d 4M hugetlb-2M file=d shared policy=bind:0
@p touch d
@p map e 8M hugetlb-2M policy=bind:0
@p touch e
@p policy bind:0
@p map f 4M hugetlb-2M
@p touch f
pool 2M all 0
@p unmap d
unlink_hugetlb d
pool 2M node0 3
@p exit
pool 2M all 0
overcommit 2M 8
spawn q
@q cpu 0
@q map g 8M hugetlb-2M noreserve
@q touch g
@q fork r
@r touch g
@q touch g
@r exit
pool 2M all 2
@q unmap g 2M 2M
@q exit
