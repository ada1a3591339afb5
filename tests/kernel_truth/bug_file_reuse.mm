# Names and files: reopened, grown, unlinked while mapped, made again.
machine nodes=1 node_mem=1G
pool 2M node0 10
spawn p
@p cpu 0
@p map a 4M hugetlb-2M file=f shared
@p touch a 0 2M
unlink_hugetlb f
@p map b 4M hugetlb-2M file=f shared
@p touch b
@p touch a
@p unmap a
@p map c 8M hugetlb-2M file=f
@p touch c r
@p touch c 0 2M
@p unmap b
@p fork q
@q touch c
@p exit
@q unmap c
spawn s
@s map d 2M hugetlb-2M file=f shared
@s touch d r
@s punch d 4M 4M
@s truncate d 0
@s touch d
@s unmap d
unlink_hugetlb f
@s map e 4M hugetlb-2M file=g shared noreserve
@s touch e
@s map h 4M hugetlb-2M file=g shared
@s unmap e
@s unmap h
@s map h 8M hugetlb-2M file=g shared
@s fork t
@s exit
@t touch h
unlink_hugetlb g
@t map i 16M hugetlb-2M file=k shared
@t map i 4M hugetlb-2M file=k shared
@t unmap i
@t exit
unlink_hugetlb k
@q exit
pool 2M node0 0
