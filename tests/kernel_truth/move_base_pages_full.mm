# move_pages to a node without room, and of pages that are spread over nodes already.
# tolerance 6%
machine nodes=2 node_mem=256M
thp enabled never
spawn p
@p cpu 0
@p map i 8M anon policy=interleave:0,1
@p touch i
@p move i 1
@p move i 0
@p map f 150M anon policy=bind:1
@p touch f
@p map g 100M anon policy=bind:0
@p touch g
@p move g 1
@p unmap f
@p move g 1
@p exit
