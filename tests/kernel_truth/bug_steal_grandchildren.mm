# The owner of a private reservation takes pages from children and grandchildren; children get SIGBUS.
machine nodes=1 node_mem=1G
pool 2M node0 4
spawn p
@p cpu 0
@p map a 6M hugetlb-2M
@p touch a 0 4M
@p fork q
@q fork r
@q touch a 0 2M
@q touch a 4M 2M
@q touch a 2M 2M
@r touch a 2M 2M r
@p touch a 0 4M
@r touch a 0 6M r
@q touch a 0 6M r
@q touch a 0 6M
@p touch a 4M 2M
@r unmap a
@q unmap a 0 2M
@q touch a 2M 4M
@p unmap a 0 2M
@p touch a 2M 4M
@q exit
@p touch a 2M 4M
@r exit
@p unmap a
@p map b 4M hugetlb-2M
@p fork s
@s touch b
@p touch b
@s map c 4M hugetlb-2M
@s touch c
@s exit
overcommit 2M 2
@p map d 8M hugetlb-2M noreserve
@p touch d
@p fork t
@t touch d
@p touch d
@t advise d 0 8M dontneed
@p touch d
@t exit
@p exit
